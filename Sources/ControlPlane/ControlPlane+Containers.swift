// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// Containers that are looked at in a second without a reason, one after the other.
  private static let looksPerSecond = 32
  /// Seconds for which a port is not opened again when its MTU changes once more.
  private static let mtuPauseSeconds: UInt64 = 10

  /// Serves again what a predecessor that died, or was told to keep its attachments, left behind,
  /// and removes what it left half made.
  func takeOverAttachments() {
    let listing: AttachmentListing
    do {
      listing = try AttachmentListing.read()
      for name in try listing.removeUnfinished() {
        logger.notice("unfinished interface removed", metadata: ["interface": "\(name)"])
      }
    } catch {
      logger.error("attachments cannot be read back", metadata: ["problem": "\(error)"])
      return
    }
    for interface in listing.attachments {
      guard let port = freePort() else { return }
      let attachment = Attachment(interface: interface, port: port, isOpen: false, trouble: nil)
      attachments[port] = attachment
      logger.notice("attachment taken over", metadata: attachment.description)
      takeOver(attachment)
    }
    for ignored in listing.ignored {
      logger.warning(
        "interface with a damaged record",
        metadata: ["interface": "\(ignored.interface)", "reason": "\(ignored.reason)"])
    }
  }

  private func takeOver(_ attachment: Attachment) {
    do throws(HostNetworkError) {
      if try netlink.wasMoved(attachment.interface) {
        return try loseMoved(attachment)
      }
    } catch {
      warn(of: attachment, error)
      guard attachments[attachment.port]?.isMoved != true else { return }
    }
    followContainer(attachment.port)
  }

  /// Looks at some containers that nothing was heard of, in case that something was missed, and at
  /// those that have trouble.
  func lookAtContainers() {
    let ports = attachments.keys.sorted { $0.number < $1.number }
    let ahead = ports.filter { $0.number >= nextLook }.prefix(ControlPlane.looksPerSecond)
    nextLook = ahead.count < ControlPlane.looksPerSecond ? 0 : (ahead.last?.number ?? 0) + 1
    let troubled = ports.filter { port in
      attachments[port].map { $0.trouble != nil || $0.mtu != $0.servedMTU } ?? false
    }
    for port in Set(ahead).union(troubled) { followContainer(port) }
  }

  /// Looks at a container and does what follows from how it is found.
  func followContainer(_ port: PortIndex) {
    guard let attachment = attachments[port] else { return }
    do {
      if attachment.isMoved { return try loseMoved(attachment) }
      switch try netlink.inspect(attachment.interface) {
      case nil: return
      case .gone: lose(attachment, because: "its interface is gone")
      case .moved: try loseMoved(attachment)
      case .present(let presence): follow(attachment, presence)
      }
    } catch {
      warn(of: attachment, error)
    }
  }

  private func warn(of attachment: Attachment, _ error: HostNetworkError) {
    var metadata = attachment.description
    metadata["problem"] = "\(error)"
    logger.warning("container", metadata: metadata)
  }

  /// Closes a port; what cannot be taken down is logged.
  func closePort(_ port: PortIndex, keepsProgram: Bool = false) {
    for failure in engine.closePort(port, keepsProgram: keepsProgram) {
      logger.error("port", metadata: ["port": "\(port.number)", "problem": "\(failure)"])
    }
  }

  /// An interface in a namespace that nobody attached must not be on the overlay.
  private func loseMoved(_ attachment: Attachment) throws(HostNetworkError) {
    var attachment = attachment
    attachment.isMoved = true
    try delete(attachment)
    noteLoss(of: attachment, because: "its interface was moved to another namespace")
  }

  /// Closes a container's port and deletes its pair, whose frames are dropped in between.
  ///
  /// If the pair cannot be deleted the attachment stays, to be looked at again.
  func delete(_ attachment: Attachment) throws(HostNetworkError) {
    withdraw(attachment.port, keepsProgram: true)
    do {
      try attachment.interface.detach()
    } catch {
      var kept = attachment
      kept.isOpen = false
      kept.trouble = "\(attachment.interface.hostEnd) cannot be deleted: \(error)"
      attachments[attachment.port] = kept
      throw error
    }
    attachments[attachment.port] = nil
  }

  private func lose(_ attachment: Attachment, because reason: String) {
    attachments[attachment.port] = nil
    withdraw(attachment.port)
    noteLoss(of: attachment, because: reason)
  }

  private func noteLoss(of attachment: Attachment, because reason: String) {
    losses.attachments += 1
    var metadata = attachment.description
    metadata["reason"] = "\(reason)"
    logger.notice("container lost", metadata: metadata)
  }

  /// Takes a port out of forwarding, then closes it.
  func withdraw(_ port: PortIndex, keepsProgram: Bool = false) {
    model.removePort(port)
    commit()
    closePort(port, keepsProgram: keepsProgram)
    // Stations that were seen behind it until now are refused, as nothing has its index yet.
    drainHints()
  }

  private func follow(_ attachment: Attachment, _ presence: ContainerCondition.Presence) {
    var attachment = attachment
    let findings = ContainerFindings(
      attachment.interface.record, ContainerFindings.Ends(presence))
    attachment.interface.noteHostEnd(presence.hostEnd.name)
    let unrecorded = note(findings, in: &attachment)
    attachment.mtu = findings.mtu
    let trouble = serve(&attachment, on: presence.hostEnd) ?? findings.trouble ?? unrecorded
    if trouble != attachment.trouble {
      attachment.trouble = trouble
      var metadata = attachment.description
      metadata["problem"] = "\(trouble ?? "none any more")"
      logger.notice("container", metadata: metadata)
    }
    attachments[attachment.port] = attachment
  }

  /// Keeps the record true; says what of it cannot be recorded.
  private func note(
    _ findings: ContainerFindings, in attachment: inout Attachment
  ) -> String? {
    var trouble: String?
    if let name = findings.newName {
      do {
        try attachment.interface.noteName(name)
        logger.notice("container's interface renamed", metadata: attachment.description)
      } catch {
        trouble = "its new name in the container cannot be recorded: \(error); rename it there"
      }
    }
    guard !findings.lostAddresses.isEmpty else { return trouble }
    do {
      try attachment.interface.noteLoss(of: findings.lostAddresses)
      losses.addresses += UInt64(findings.lostAddresses.count)
      var metadata = attachment.description
      let text = findings.lostAddresses.map(\.description).joined(separator: " ")
      metadata["lost"] = "\(text)"
      logger.notice("container's addresses lost", metadata: metadata)
    } catch {
      logger.error("container's record", metadata: ["problem": "\(error)"])
    }
    return trouble
  }

  /// Makes sure that the port is open, has our program and takes frames as long as both ends carry;
  /// says why it is not open.
  private func serve(_ attachment: inout Attachment, on hostEnd: Link) -> String? {
    let port = attachment.port
    if attachment.isOpen,
      hostEnd.program?.identifier != engine.status(of: port)?.programIdentifier
        || hasOtherMTU(&attachment)
    {
      withdraw(port)
      attachment.isOpen = false
    }
    guard !attachment.isOpen else { return nil }
    do {
      try open(
        hostEnd, as: port, mtu: attachment.mtu, choosingModeBy: .present,
        isRetry: attachment.trouble != nil)
    } catch {
      return error.description
    }
    attachment.isOpen = true
    attachment.servedMTU = attachment.mtu
    model.addPort(port, receivesFloods: true)
    return nil
  }

  /// Whether a port has to be opened again because the MTU of one of its ends has changed.
  ///
  /// Not again for some seconds: containers change their own as they like, and it takes a moment.
  private func hasOtherMTU(_ attachment: inout Attachment) -> Bool {
    guard attachment.mtu != attachment.servedMTU, now() >= attachment.mtuPauseEnd else {
      return false
    }
    attachment.mtuPauseEnd = now() + ControlPlane.mtuPauseSeconds
    var metadata = attachment.description
    metadata["mtu"] = "\(attachment.mtu)"
    logger.notice("container's MTU changed", metadata: metadata)
    return true
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// Containers that are looked at in a second without a reason, one after the other.
  private static let looksPerSecond = 32

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
    }
    followContainer(attachment.port)
  }

  /// Looks at some containers that nothing was heard of, in case that something was missed, and at
  /// those that have trouble.
  func lookAtContainers() {
    let ports = attachments.keys.sorted { $0.number < $1.number }
    let ahead = ports.filter { $0.number >= nextLook }.prefix(ControlPlane.looksPerSecond)
    nextLook = ahead.count < ControlPlane.looksPerSecond ? 0 : (ahead.last?.number ?? 0) + 1
    let troubled = ports.filter { attachments[$0]?.trouble != nil }
    for port in Set(ahead).union(troubled) { followContainer(port) }
  }

  /// Looks at a container and does what follows from how it is found.
  func followContainer(_ port: PortIndex) {
    guard let attachment = attachments[port] else { return }
    do {
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
  func closePort(_ port: PortIndex) {
    for failure in engine.closePort(port) {
      logger.error("port", metadata: ["port": "\(port.number)", "problem": "\(failure)"])
    }
  }

  /// An interface in a namespace that nobody attached must not be on the overlay.
  private func loseMoved(_ attachment: Attachment) throws(HostNetworkError) {
    lose(attachment, because: "its interface was moved to another namespace")
    try attachment.interface.detach()
  }

  private func lose(_ attachment: Attachment, because reason: String) {
    attachments[attachment.port] = nil
    losses.attachments += 1
    withdraw(attachment.port)
    var metadata = attachment.description
    metadata["reason"] = "\(reason)"
    logger.notice("container lost", metadata: metadata)
  }

  /// Takes a port out of forwarding, then closes it.
  private func withdraw(_ port: PortIndex) {
    model.removePort(port)
    commit()
    closePort(port)
  }

  private func follow(_ attachment: Attachment, _ presence: ContainerCondition.Presence) {
    var attachment = attachment
    let findings = ContainerFindings(
      attachment.interface.record, ContainerFindings.Ends(presence))
    note(findings, in: &attachment)
    let trouble = serve(&attachment, on: presence.hostEnd) ?? findings.trouble
    if trouble != attachment.trouble {
      attachment.trouble = trouble
      var metadata = attachment.description
      metadata["problem"] = "\(trouble ?? "none any more")"
      logger.notice("container", metadata: metadata)
    }
    attachments[attachment.port] = attachment
  }

  /// Keeps the record true.
  private func note(_ findings: ContainerFindings, in attachment: inout Attachment) {
    do throws(HostNetworkError) {
      if let name = findings.newName {
        try attachment.interface.noteName(name)
        logger.notice("container's interface renamed", metadata: attachment.description)
      }
      guard !findings.lostAddresses.isEmpty else { return }
      try attachment.interface.noteLoss(of: findings.lostAddresses)
      losses.addresses += UInt64(findings.lostAddresses.count)
      var metadata = attachment.description
      let text = findings.lostAddresses.map(\.description).joined(separator: " ")
      metadata["lost"] = "\(text)"
      logger.notice("container's addresses lost", metadata: metadata)
    } catch {
      logger.error("container's record", metadata: ["problem": "\(error)"])
    }
  }

  /// Makes sure that the port is open and has our program; says why it is not.
  private func serve(_ attachment: inout Attachment, on hostEnd: Link) -> String? {
    let port = attachment.port
    if attachment.isOpen,
      hostEnd.program?.identifier != engine.status(of: port)?.programIdentifier
    {
      withdraw(port)
      attachment.isOpen = false
    }
    guard !attachment.isOpen else { return nil }
    do {
      try open(hostEnd, as: port, isRetry: attachment.trouble != nil)
    } catch {
      return error.description
    }
    attachment.isOpen = true
    model.addPort(port, receivesFloods: true)
    return nil
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// Takes the host's network up: underlay, host pair, what a predecessor left, endpoints.
  ///
  /// If it throws, everything it made is taken down again and the host is as before.
  package func start() throws(ControlPlaneError) {
    do throws(ControlPlaneError) {
      try findUnderlay()
      try openHostPort()
      try openUnderlayPort()
      takeOverAttachments()
      try addEndpoints()
      commit()
      watch()
    } catch {
      abandon()
      throw error
    }
  }

  /// Takes everything down, in the opposite order; containers as the configuration says.
  package func stop() { end(keepsAttachments: options.keepsAttachments) }

  /// Gives a start up that cannot serve: what it made goes, what it found stays as it was.
  package func abandon() { end(keepsAttachments: true) }

  private func end(keepsAttachments: Bool) {
    guard !isStopping else { return }
    isStopping = true
    for source in sources { source.cancel() }
    sources = []
    let needsPair = keepsAttachments && (!attachments.isEmpty || hostPair?.wasReused == true)
    if !keepsAttachments { removeAttachments() }
    engine.stop(keepsPrograms: keepsAttachments)
    for neighbour in managedNeighbours {
      _ = try? netlink.removeManagedNeighbour(neighbour.address, on: neighbour.interface)
    }
    if hostPair != nil, !needsPair { _ = try? HostPair.remove() }
    logger.info("stopped", metadata: ["attachments": "\(keepsAttachments ? "kept" : "removed")"])
  }

  private func removeAttachments() {
    for attachment in attachments.values.sorted(by: { $0.port.number < $1.port.number }) {
      engine.closePort(attachment.port)
      _ = try? attachment.interface.detach()
    }
    attachments = [:]
  }

  private func findUnderlay() throws(ControlPlaneError) {
    do {
      guard let link = try netlink.link(named: options.underlay) else {
        throw ControlPlaneError.underlayMissing(options.underlay)
      }
      guard link.isEthernet, !link.isLoopback else {
        throw ControlPlaneError.underlayNotEthernet(options.underlay)
      }
      underlay = link
      underlayAddresses = try netlink.addresses(of: link.index).map(\.prefix)
      overlayMTU = overlayMTU(over: link)
    } catch let error as HostNetworkError {
      throw .host(error)
    } catch let error as ControlPlaneError {
      throw error
    } catch {
      throw .engine(EngineFailure("\(error)"))
    }
    guard !underlayAddresses.isEmpty else {
      throw .underlayWithoutAddress(options.underlay)
    }
  }

  private func openHostPort() throws(ControlPlaneError) {
    let pair: HostPair
    do {
      pair = try HostPair.create(
        HostPair.Options(queueCount: engine.workerCount, mtu: overlayMTU))
    } catch {
      throw .host(error)
    }
    hostPair = pair
    try open(pair.switchEnd, as: ControlPlane.hostPort)
    model.addPort(ControlPlane.hostPort, receivesFloods: true)
  }

  private func openUnderlayPort() throws(ControlPlaneError) {
    guard let underlay else { return }
    let queueCount: Int
    do { queueCount = try netlink.receiveQueueCount(of: underlay) } catch { throw .host(error) }
    do {
      try engine.openPort(
        PortRequest(
          port: ControlPlane.underlayPort, isUnderlay: true, interface: underlay.name,
          interfaceIndex: UInt32(underlay.index.rawValue), queueCount: queueCount,
          frameLengthMax: underlay.mtu + 14,
          overlayAddresses: underlayAddresses.map(\.address)))
    } catch {
      throw .engine(error)
    }
    model.addPort(ControlPlane.underlayPort, receivesFloods: false)
    applyFaults(to: ControlPlane.underlayPort)
    let status = engine.status(of: ControlPlane.underlayPort)
    logger.info(
      "underlay",
      metadata: [
        "interface": "\(underlay.name)", "mode": "\(status?.mode.rawValue ?? "")",
        "reason": "\(status?.reason ?? "")", "overlay_mtu": "\(overlayMTU)",
      ])
  }

  /// Opens the data plane's port on the host end of a veth.
  func open(_ link: Link, as port: PortIndex) throws(ControlPlaneError) {
    do {
      let queueCount: Int
      do { queueCount = try netlink.receiveQueueCount(of: link) } catch {
        throw ControlPlaneError.host(error)
      }
      try engine.openPort(
        PortRequest(
          port: port, isUnderlay: false, interface: link.name,
          interfaceIndex: UInt32(link.index.rawValue), queueCount: queueCount,
          frameLengthMax: min(link.mtu + 18, engine.frameLengthMax), overlayAddresses: []))
      applyFaults(to: port, interface: link.name)
    } catch let failure as EngineFailure {
      throw .engine(failure)
    } catch let error as ControlPlaneError {
      throw error
    } catch {
      throw .engine(EngineFailure("\(error)"))
    }
  }

  /// Serves again what a predecessor that died, or was told to keep its attachments, left behind.
  private func takeOverAttachments() {
    let listing: AttachmentListing
    do { listing = try AttachmentListing.read() } catch {
      logger.error("attachments cannot be read back", metadata: ["problem": "\(error)"])
      return
    }
    for interface in listing.attachments {
      guard let port = freePort() else { return }
      var attachment = Attachment(interface: interface, port: port, trouble: nil)
      do {
        guard let link = try netlink.link(at: interface.hostEndIndex) else { continue }
        try open(link, as: port)
        model.addPort(port, receivesFloods: true)
      } catch {
        attachment.trouble = "\(error)"
      }
      attachments[port] = attachment
      logger.notice(
        "attachment taken over",
        metadata: [
          "interface": "\(interface.hostEnd)", "netns": "\(interface.record.namespacePath)",
          "problem": "\(attachment.trouble ?? "none")",
        ])
    }
    for ignored in listing.ignored {
      logger.warning(
        "interface with a damaged record",
        metadata: ["interface": "\(ignored.interface)", "reason": "\(ignored.reason)"])
    }
  }

  /// The lowest port index nobody uses.
  func freePort() -> PortIndex? {
    (ControlPlane.firstContainerPort..<2000).lazy.map { PortIndex($0) }
      .first { attachments[$0] == nil }
  }

  private func addEndpoints() throws(ControlPlaneError) {
    for endpoint in options.endpoints where !add(endpoint) { throw .tablesFull }
    resolveEndpoints()
  }
}

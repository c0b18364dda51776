// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// The interface the configuration names, which must be there and have an address when weftd
  /// starts; nil if it names none.
  func findUnderlay() throws(ControlPlaneError) -> Link? {
    guard let name = options.underlay else {
      overlayMTU = overlayMTU(over: nil)
      return nil
    }
    let found: Link?
    do { found = try netlink.link(named: name) } catch { throw .host(error) }
    guard let link = found else { throw .underlayMissing(name) }
    underlayAddresses = try ControlPlane.asking { () throws(HostNetworkError) in
      try netlink.addresses(of: link.index).map(\.prefix)
    }
    guard !underlayAddresses.isEmpty else { throw .underlayWithoutAddress(name) }
    overlayMTU = overlayMTU(over: link)
    return link
  }

  /// The interface the configuration names as it is now; nil if it names none or there is none.
  var configuredLink: Link? {
    options.underlay.flatMap { name in (try? netlink.link(named: name)) ?? nil }
  }

  /// Begins to use the interface towards the other hosts, nil if none is configured: through AF_XDP
  /// if it can carry that and the configuration allows it, else through the kernel's sockets.
  func openUnderlay(_ link: Link?) throws(ControlPlaneError) {
    let obstacle = UnderlayChoice.obstacle(mode: options.underlayMode, interface: link.map(\.facts))
    if let obstacle {
      guard options.underlayMode != .xdp else { throw .underlayUnfit(obstacle) }
      return useSockets(obstacle, over: link)
    }
    guard let link else { return }
    do throws(ControlPlaneError) {
      try openUnderlayPort(link)
    } catch {
      guard options.underlayMode == .automatic else { throw error }
      useSockets("AF_XDP cannot be used on \(link.name): \(error.description)", over: link)
    }
  }

  /// Has the kernel's sockets do what the underlay's port would.
  private func useSockets(_ reason: String, over link: Link?) {
    underlayTrouble = nil
    settleOverlayMTU(over: link)
    guard socketReason != reason else { return }
    socketReason = reason
    logger.info(
      "underlay",
      metadata: [
        "interface": "\(link?.name ?? "")", "mode": "socket", "reason": "\(reason)",
        "mtu": "\(link?.mtu ?? 0)", "overlay_mtu": "\(overlayMTU)",
      ])
  }

  /// Opens the underlay's port on an interface.
  private func openUnderlayPort(_ link: Link) throws(ControlPlaneError) {
    let queueCount: Int
    do { queueCount = try netlink.receiveQueueCount(of: link) } catch { throw .host(error) }
    do {
      try engine.openPort(
        PortRequest(
          port: ControlPlane.underlayPort, isUnderlay: true, interface: link.name,
          interfaceIndex: UInt32(link.index.rawValue), queueCount: queueCount,
          frameLengthMax: link.mtu + 14, overlayAddresses: overlayAddresses,
          securityIdentifiers: mesh?.securityIdentifiers ?? [], isRetry: underlayPause.isRetry))
    } catch {
      if error.mayFollowAttach { underlayPause.begin(at: now()) }
      throw .engine(error)
    }
    underlay = link
    socketReason = nil
    settleOverlayMTU(over: link)
    underlayTrouble = nil
    underlayPause.stop()
    model.addPort(ControlPlane.underlayPort, receivesFloods: false)
    applyFaults(to: ControlPlane.underlayPort)
    let status = engine.status(of: ControlPlane.underlayPort)
    logger.info(
      "underlay",
      metadata: [
        "interface": "\(link.name)", "mode": "\(status?.mode.rawValue ?? "")",
        "reason": "\(status?.reason ?? "")", "mtu": "\(link.mtu)", "overlay_mtu": "\(overlayMTU)",
      ])
  }

  /// Compares the underlay in use with what is there now, and does what is missing.
  func followUnderlay() {
    guard let name = options.underlay else { return }
    let found: Link?
    do { found = try netlink.link(named: name) } catch {
      logger.warning("underlay", metadata: ["problem": "\(error)"])
      return
    }
    let interruption = underlayInUse?.interruption(by: found.map(conditionWithQueues))
    if let interruption { closeUnderlay(because: interruption) }
    let wasOpen = underlay != nil
    follow(found, named: name)
    guard interruption != nil || wasOpen != (underlay != nil) else { return }
    // What goes through AF_XDP and what through sockets has changed.
    resolveEndpoints()
    resolveMeshNeighbours()
  }

  /// Uses what has the underlay's name now.
  private func follow(_ found: Link?, named name: String) {
    underlayPause.note(index: found?.index.rawValue, isUp: found?.isUp ?? false)
    guard let found else {
      noteUnderlayTrouble("interface \(name) is gone; waiting for it")
      return
    }
    if underlay != nil {
      underlay = found
    } else if found.isUp {
      reopenUnderlay(found)
    } else {
      // Some drivers give zero-copy only to an interface that is up.
      underlayTrouble = nil
    }
    readUnderlayAddresses(of: found)
  }

  /// What is wrong with the underlay now, and what to do; a sentence each.
  func underlayProblems(_ link: Link?) -> [String] {
    let present = link.map {
      condition($0).problems(
        addresses: underlayAddresses,
        overlayMTU: attachments.values.map(\.mtu).reduce(overlayMTU, max), isSealed: isSealed)
    }
    return [underlayTrouble, addressTrouble].compactMap(\.self) + (present ?? [])
  }

  private var underlayInUse: UnderlayCondition? {
    underlay.map {
      var condition = condition($0)
      let status = engine.status(of: ControlPlane.underlayPort)
      condition.program = status?.programIdentifier
      condition.queueCount = status?.queueCount
      return condition
    }
  }

  private func conditionWithQueues(_ link: Link) -> UnderlayCondition {
    var condition = condition(link)
    // If it is gone by now, the next event tells.
    condition.queueCount = try? netlink.receiveQueueCount(of: link)
    return condition
  }

  private func condition(_ link: Link) -> UnderlayCondition {
    UnderlayCondition(
      name: link.name, index: link.index.rawValue, mtu: link.mtu,
      program: link.program?.identifier, isUp: link.isUp, hasCarrier: link.hasCarrier)
  }

  private func reopenUnderlay(_ link: Link) {
    guard underlayPause.isOver(at: now()) else { return }
    do {
      try openUnderlay(link)
    } catch {
      noteUnderlayTrouble(error.description)
    }
  }

  private func closeUnderlay(because reason: String) {
    logger.warning("underlay interrupted", metadata: ["reason": "\(reason)"])
    losses.underlay += 1
    underlay = nil
    addressTrouble = nil
    model.removePort(ControlPlane.underlayPort)
    // With the port went the ways to the endpoints: they are to be told to the model anew.
    for position in endpoints.indices {
      endpoints[position].way = .none(because: underlayRefusal)
    }
    forgetMeshWays()
    commit()
    closePort(ControlPlane.underlayPort)
  }

  /// Why no endpoint is asked for while the underlay's port is closed.
  var underlayRefusal: String {
    options.underlay.map { "the underlay \($0) is not in use" } ?? "there is no underlay interface"
  }

  /// Why nothing goes through AF_XDP now, so that other hosts are reached through the kernel's
  /// sockets if at all; nil if the underlay's port is open.
  var underlayRefusalReason: String? {
    guard underlay == nil else { return nil }
    return socketReason ?? underlayTrouble ?? "\(options.underlay ?? "the interface") is down"
  }

  private func noteUnderlayTrouble(_ trouble: String) {
    socketReason = nil
    guard trouble != underlayTrouble else { return }
    underlayTrouble = trouble
    underlayAddresses = []
    logger.error("underlay", metadata: ["problem": "\(trouble)"])
  }

  /// Where outer packets for us arrive.
  private var overlayAddresses: [SocketAddress] {
    outerPorts.flatMap { port in
      underlayAddresses.map(\.address)
        .filter { port == options.vxlanPort || isMeshAddress($0) }
        .map { SocketAddress($0, port: port) }
    }
  }

  /// Whether the mesh receives at an address of ours.
  private func isMeshAddress(_ address: IPv4Address) -> Bool {
    guard let listen = options.mesh?.listenAddress, listen.bits != 0 else { return true }
    return address == listen
  }

  private func readUnderlayAddresses(of link: Link) {
    let found: [IPv4Prefix]
    do {
      found = try netlink.addresses(of: link.index).map(\.prefix)
    } catch {
      // It may be gone by now, which the next event tells.
      return
    }
    guard found != underlayAddresses || addressTrouble != nil else { return }
    underlayAddresses = found
    tellOverlayAddresses()
  }

  /// Has the underlay's program hand over what is for us now.
  func tellOverlayAddresses() {
    let found = underlayAddresses
    let before = addressTrouble
    guard underlay != nil else { return addressTrouble = nil }
    do throws(EngineFailure) {
      try engine.setOverlayAddresses(overlayAddresses, port: ControlPlane.underlayPort)
      addressTrouble = nil
      let text = found.map(\.description).joined(separator: " ")
      logger.info("underlay addresses", metadata: ["addresses": "\(text)"])
    } catch {
      addressTrouble = error.description
      if before != addressTrouble {
        logger.error("underlay addresses", metadata: ["problem": "\(error)"])
      }
    }
  }
}

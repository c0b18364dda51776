// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// The interface the configuration names, which must be there and usable when weftd starts.
  func findUnderlay() throws(ControlPlaneError) -> Link {
    let found: Link?
    do { found = try netlink.link(named: options.underlay) } catch { throw .host(error) }
    guard let link = found else { throw .underlayMissing(options.underlay) }
    underlayAddresses = try ControlPlane.asking { () throws(HostNetworkError) in
      try netlink.addresses(of: link.index).map(\.prefix)
    }
    guard !underlayAddresses.isEmpty else { throw .underlayWithoutAddress(options.underlay) }
    overlayMTU = overlayMTU(over: link)
    return link
  }

  /// Opens the underlay's port on an interface.
  func openUnderlay(_ link: Link) throws(ControlPlaneError) {
    guard link.isEthernet, !link.isLoopback else { throw .underlayNotEthernet(link.name) }
    let queueCount: Int
    do { queueCount = try netlink.receiveQueueCount(of: link) } catch { throw .host(error) }
    do {
      try engine.openPort(
        PortRequest(
          port: ControlPlane.underlayPort, isUnderlay: true, interface: link.name,
          interfaceIndex: UInt32(link.index.rawValue), queueCount: queueCount,
          frameLengthMax: link.mtu + 14, overlayAddresses: overlayAddresses,
          isRetry: underlayPause.isRetry))
    } catch {
      if error.mayFollowAttach { underlayPause.begin(at: now()) }
      throw .engine(error)
    }
    underlay = link
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
    let found: Link?
    do { found = try netlink.link(named: options.underlay) } catch {
      logger.warning("underlay", metadata: ["problem": "\(error)"])
      return
    }
    if let reason = underlayInUse?.interruption(by: found.map(conditionWithQueues)) {
      closeUnderlay(because: reason)
    }
    underlayPause.note(index: found?.index.rawValue, isUp: found?.isUp ?? false)
    guard let found else {
      noteUnderlayTrouble("interface \(options.underlay) is gone; waiting for it")
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
      condition($0).problems(addresses: underlayAddresses, overlayMTU: overlayMTU)
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
    for position in endpoints.indices { endpoints[position].refusal = underlayRefusal }
    forgetMeshNextHops()
    commit()
    closePort(ControlPlane.underlayPort)
  }

  /// Why no endpoint is asked for while the underlay's port is closed.
  var underlayRefusal: String { "the underlay \(options.underlay) is not in use" }

  private func noteUnderlayTrouble(_ trouble: String) {
    guard trouble != underlayTrouble else { return }
    underlayTrouble = trouble
    underlayAddresses = []
    logger.error("underlay", metadata: ["problem": "\(trouble)"])
  }

  /// Where outer packets for us arrive.
  private var overlayAddresses: [SocketAddress] {
    let ports = [options.vxlanPort] + (options.mesh == nil ? [] : [meshVXLANPort])
    return ports.flatMap { port in
      underlayAddresses.map { SocketAddress($0.address, port: port) }
    }
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
    let before = addressTrouble
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

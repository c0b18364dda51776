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
      let link = try findUnderlay()
      try openHostPort()
      try openUnderlay(link)
      try openSockets()
      toldPorts = outerPorts
      takeOverAttachments()
      try addEndpoints()
      try startMesh()
      removeUnwantedNeighbours()
      commit()
      watch()
    } catch {
      abandon()
      throw error
    }
  }

  /// Opens the host's own port, on a pair that is made if it is not there.
  func openHostPort() throws(ControlPlaneError) {
    let pair: HostPair
    do {
      pair = try HostPair.create(
        HostPair.Options(queueCount: engine.workerCount, mtu: overlayMTU))
    } catch {
      throw .host(error)
    }
    hostPair = pair
    // A pair that was there may carry frames of the host already.
    let source =
      pair.wasReused
      ? .present
      : tested(
        by: try ControlPlane.asking { () throws(HostNetworkError) in
          try TestFrameSender(of: pair)
        })
    try open(
      pair.switchEnd, as: ControlPlane.hostPort, choosingModeBy: source,
      isRetry: hostTrouble != nil)
    hostTrouble = nil
    model.addPort(ControlPlane.hostPort, receivesFloods: true)
  }

  /// Compares the host's own port with what is there now, and does what is missing.
  func followHostPair() {
    let found = hostPair.flatMap { pair in (try? netlink.link(at: pair.switchEnd.index)) ?? nil }
    let status = engine.status(of: ControlPlane.hostPort)
    if let found, let status, found.program?.identifier == status.programIdentifier { return }
    if status != nil {
      logger.warning("weft0 interrupted", metadata: ["reason": "its pair or its program is gone"])
      model.removePort(ControlPlane.hostPort)
      commit()
      closePort(ControlPlane.hostPort)
    }
    do {
      try openHostPort()
      logger.notice("weft0 is served again; addresses it had may have to be added anew")
    } catch {
      let trouble = "the host's own interface weft0: \(error.description)"
      if trouble != hostTrouble { logger.error("weft0", metadata: ["problem": "\(error)"]) }
      hostTrouble = trouble
    }
  }

  /// Has test frames decide on a port's mode.
  func tested(by sender: TestFrameSender) -> PortModeSource {
    .tested(sender, cookie: UInt64.random(in: .min ... .max, using: &random))
  }

  /// Opens the data plane's port on the host end of a veth, for packets of up to `mtu` bytes or, if
  /// that is nil, of the host end's MTU.
  func open(
    _ link: Link, as port: PortIndex, mtu: Int? = nil, choosingModeBy source: PortModeSource,
    isRetry: Bool = false
  ) throws(ControlPlaneError) {
    do {
      let queueCount: Int
      do { queueCount = try netlink.receiveQueueCount(of: link) } catch {
        throw ControlPlaneError.host(error)
      }
      try engine.openPort(
        PortRequest(
          port: port, isUnderlay: false, interface: link.name,
          interfaceIndex: UInt32(link.index.rawValue), queueCount: queueCount,
          frameLengthMax: min((mtu ?? link.mtu) + 18, engine.frameLengthMax),
          overlayAddresses: [],
          modeSource: source, isRetry: isRetry))
      applyFaults(to: port, interface: link.name)
    } catch let failure as EngineFailure {
      throw .engine(failure)
    } catch let error as ControlPlaneError {
      throw error
    } catch {
      throw .engine(EngineFailure("\(error)"))
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

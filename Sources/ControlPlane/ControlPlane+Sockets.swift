// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Logging
internal import Routing
internal import Transport

// The kernel's UDP sockets, at which it gives us what no program redirects, such as fragments that
// it put together, and through which it sends what we do not send directly.
extension ControlPlane {
  /// The UDP ports that outer packets for us are sent to; from the first of them goes VXLAN.
  var outerPorts: [UInt16] {
    var ports = options.mesh == nil ? [] : [meshVXLANPort, options.mesh?.port ?? 0]
    // Somebody else may have it, as long as nothing of ours comes there.
    if !options.endpoints.isEmpty { ports.append(options.vxlanPort) }
    return ports + otherMeshPorts
  }

  /// Has packets come to the ports that are wanted now, if they are others than before, and tries
  /// those again that somebody else had.
  func followOuterPorts() {
    let ports = outerPorts
    if ports != socketPorts { followSockets() }
    guard ports != toldPorts else { return }
    toldPorts = ports
    tellOverlayAddresses()
    mesh?.watcher?.setPorts(Set(ports))
  }

  /// Opens the sockets, if there is anything for them.
  func openSockets() throws(ControlPlaneError) {
    let ports = outerPorts
    guard !ports.isEmpty else { return }
    do {
      try engine.openSockets(
        SocketPortRequest(
          port: ControlPlane.socketPort,
          address: options.mesh?.listenAddress ?? IPv4Address(bits: 0), udpPorts: ports))
    } catch {
      throw .engine(error)
    }
    socketPorts = ports
    model.addPort(ControlPlane.socketPort, receivesFloods: false)
    applyFaults(to: ControlPlane.socketPort)
  }

  /// Opens sockets at ports that are wanted now, and closes those that are not.
  ///
  /// A port that somebody else has is gone without: what comes there is not ours.
  private func followSockets() {
    let wanted = outerPorts
    guard !wanted.isEmpty else { return closeSockets() }
    guard !socketPorts.isEmpty else {
      changing(wanted[0]) { () throws(ControlPlaneError) in try openSockets() }
      return
    }
    var open = Set(socketPorts)
    for port in wanted where !open.contains(port) {
      let isDone = changing(port) { () throws(EngineFailure) in
        try engine.addUDPPort(port, port: ControlPlane.socketPort)
      }
      if isDone { open.insert(port) }
    }
    for port in open.subtracting(wanted) {
      let isDone = changing(port) { () throws(EngineFailure) in
        try engine.removeUDPPort(port, port: ControlPlane.socketPort)
      }
      if isDone { open.remove(port) }
    }
    socketPorts = wanted.filter(open.contains) + open.subtracting(wanted).sorted()
    socketTroubles = socketTroubles.filter { wanted.contains($0.key) || open.contains($0.key) }
  }

  /// Gives all ports back.
  private func closeSockets() {
    guard !socketPorts.isEmpty else { return }
    socketPorts = []
    withdraw(ControlPlane.socketPort)
  }

  /// Changes the sockets of a port; says whether that was done, and in the log why not, once.
  @discardableResult
  private func changing<Failure: Error & CustomStringConvertible>(
    _ port: UInt16, _ body: () throws(Failure) -> Void
  ) -> Bool {
    do {
      try body()
      socketTroubles[port] = nil
      return true
    } catch {
      let trouble = error.description
      if socketTroubles.updateValue(trouble, forKey: port) != trouble {
        logger.warning("UDP port", metadata: ["port": "\(port)", "problem": "\(trouble)"])
      }
      return false
    }
  }
}

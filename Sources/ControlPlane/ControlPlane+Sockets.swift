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

  /// Has packets come to the ports that are wanted now, if they are others than before.
  func followOuterPorts() {
    guard outerPorts != socketPorts else { return }
    followSockets()
    tellOverlayAddresses()
    mesh?.watcher?.setPorts(Set(outerPorts))
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
  func followSockets() {
    guard !socketPorts.isEmpty else {
      do { try openSockets() } catch {
        logger.error("UDP sockets", metadata: ["problem": "\(error)"])
      }
      return
    }
    let wanted = outerPorts
    for port in wanted where !socketPorts.contains(port) {
      changing(port) { () throws(EngineFailure) in
        try engine.addUDPPort(port, port: ControlPlane.socketPort)
      }
    }
    for port in socketPorts where !wanted.contains(port) {
      changing(port) { () throws(EngineFailure) in
        try engine.removeUDPPort(port, port: ControlPlane.socketPort)
      }
    }
    socketPorts = wanted
  }

  private func changing(_ port: UInt16, _ body: () throws(EngineFailure) -> Void) {
    do { try body() } catch {
      logger.warning("UDP port", metadata: ["port": "\(port)", "problem": "\(error)"])
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import ControlPlane
internal import HostNetwork
internal import Inet
internal import Logging
internal import Mesh
internal import Transport

extension Daemon {
  /// The mesh for the control plane, with a name that stays the same; nil if there is none.
  static func meshOptions(of configuration: Configuration) -> ControlPlane.MeshOptions? {
    guard var options = configuration.meshOptions(hostName: Machine.hostName) else { return nil }
    if options.name == nil {
      var random = SystemRandomNumberGenerator()
      options.name = MachineName.derive(bridge: bridgeAddress, random: &random)
    }
    return options
  }

  /// The address of Weave Net's bridge, if the host has one.
  private static var bridgeAddress: MACAddress? {
    guard var netlink = try? NetlinkSocket(), let bridge = try? netlink.link(named: "weave")
    else { return nil }
    return bridge.mac
  }

  /// Opens the sockets of the mesh.
  static func transport(
    _ logger: Logger
  )
    -> @Sendable (
      SocketAddress, @escaping @Sendable (MeshInput) -> Void
    ) throws -> any MeshTransport
  {
    { address, receive in
      var options = TransportOptions()
      options.listen = address
      return try SocketTransport(options: options, logger: logger, receive: receive)
    }
  }
}

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

  /// Links beside connections: sessions that nobody presented himself in yet.
  private static let strangerRoom = 64

  /// Opens the sockets of the mesh.
  ///
  /// It has room for as many links as the mesh has connections, in both directions.
  static func transport(
    _ logger: Logger, connectionCountMax: Int
  )
    -> @Sendable (
      SocketAddress, @escaping @Sendable (MeshInput) -> Void
    ) throws -> any MeshTransport
  {
    { address, receive in
      var options = TransportOptions()
      options.listen = address
      let wanted = (connectionCountMax > 0 ? connectionCountMax : 4096) + strangerRoom
      options.acceptedLinksMax = max(options.acceptedLinksMax, wanted)
      options.dialedLinksMax = max(options.dialedLinksMax, wanted)
      return try SocketTransport(options: options, logger: logger, receive: receive)
    }
  }
}

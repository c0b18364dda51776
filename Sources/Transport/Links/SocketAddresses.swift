// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import NIOCore

extension NIOCore.SocketAddress {
  /// The same address in our terms; nil unless it is IPv4.
  var inet: Inet.SocketAddress? {
    guard case .v4 = self, let port, let address = ipAddress.flatMap(Inet.IPv4Address.init)
    else { return nil }
    return Inet.SocketAddress(address, port: UInt16(truncatingIfNeeded: port))
  }
}

extension Inet.SocketAddress {
  /// The same address in SwiftNIO's terms.
  func nio() throws -> NIOCore.SocketAddress {
    let octets = ByteBuffer(integer: address.bits, endianness: .big)
    return try NIOCore.SocketAddress(packedIPAddress: octets, port: Int(port))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet

/// A VXLAN tunnel over a wire, as one of its two hosts sees it.
struct Tunnel: Equatable, Sendable {
  var network: VirtualNetwork
  /// This host's end of the wire.
  var local: IPv4Address
  var localMAC: MACAddress
  /// The other host's end.
  var remote: IPv4Address
  var remoteMAC: MACAddress
  /// The wire's MTU.
  var wireMTU: Int
  /// The containers' MTU.
  var innerMTU: Int

  /// The tunnel of a bench with one host under test, with room for frames of any length.
  static let ofBench = Tunnel(
    network: Bench.network, local: Bench.hostAddress, localMAC: Bench.wireMAC,
    remote: Bench.remoteAddress, remoteMAC: Bench.remoteMAC, wireMTU: Bench.wireMTU,
    innerMTU: 1500)

  /// The UDP port of VXLAN (RFC 7348).
  static let port: UInt16 = 4789
  /// Bytes that the tunnel adds to a frame within a packet on the wire.
  static let overhead = 20 + 8 + 8

  /// As the other host sees it.
  var fromTheOtherEnd: Tunnel {
    var other = self
    (other.local, other.remote) = (remote, local)
    (other.localMAC, other.remoteMAC) = (remoteMAC, localMAC)
    return other
  }
}

// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Sealing

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

  /// Bytes of the longest frame that goes over the wire in one piece.
  func frameLengthMax(by overlay: Overlay, isSealed: Bool) -> Int {
    switch (overlay, isSealed) {
    case (.vxlan, false): wireMTU - Tunnel.overhead
    case (.vxlan, true):
      // The text is a multiple of 4 bytes: UDP, VXLAN, the frame, and at least 2 behind it.
      (wireMTU - 20 - FrameKey.Layout.espTextOffset - FrameKey.Layout.espTagLength) / 4 * 4
        - 8 - 8 - 2
    case (.sleeve, false): wireMTU - 20 - 8 - 6 - 14
    case (.sleeve, true): wireMTU - 20 - 8 - FrameKey.Layout.sleeveTextOffset - 14
    }
  }

  /// As the other host sees it.
  var fromTheOtherEnd: Tunnel {
    var other = self
    (other.local, other.remote) = (remote, local)
    (other.localMAC, other.remoteMAC) = (remoteMAC, localMAC)
    return other
  }
}

// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Sealing

/// How frames travel between two hosts of ours.
struct WeftTransport: Sendable {
  /// A link between two peers, as one of them sees it.
  struct PeerLink: Sendable {
    let overlay: Overlay
    let own: PeerName
    let remote: PeerName
    /// Nil: nothing is sealed.
    let keys: Keys?
  }

  /// The keys of one end.
  struct Keys: Sendable {
    let sealing: FrameKey
    let opening: FrameKey
  }

  /// Nil: VXLAN in clear, and the other host is a configured endpoint.
  var link: PeerLink?
  /// Whether the kernel's UDP sockets carry the outer packets, with segmentation and reassembly.
  var usesSockets = false

  /// The UDP port that outer packets go to.
  var udpPort: UInt16 {
    guard let link else { return Tunnel.port }
    return link.overlay == .sleeve ? WeftTransport.sleevePort : WeftTransport.meshPort
  }

  static let sleevePort: UInt16 = 6783
  /// Where peers expect VXLAN.
  static let meshPort: UInt16 = 6784

  private static let names = [
    PeerName(bits: 0x02_00_00_00_00_01), PeerName(bits: 0x02_00_00_00_00_02),
  ]

  /// Sleeve, sealed with a suite or without one in clear, as the first or the second host sees it.
  static func sleeve(_ suite: CipherSuite?, isFirst: Bool) throws -> WeftTransport {
    try peers(by: .sleeve, isFirst: isFirst, keys: suite.map { try keys($0, .sleeve, isFirst) })
  }

  /// VXLAN in ESP, as the first or the second host sees it.
  static func esp(isFirst: Bool) throws -> WeftTransport {
    try peers(by: .vxlan, isFirst: isFirst, keys: keys(.aes256gcm, .esp, isFirst))
  }

  private static func peers(
    by overlay: Overlay, isFirst: Bool, keys: Keys?
  ) throws -> WeftTransport {
    WeftTransport(
      link: PeerLink(
        overlay: overlay, own: names[isFirst ? 0 : 1], remote: names[isFirst ? 1 : 0],
        keys: keys))
  }

  private static func keys(
    _ suite: CipherSuite, _ layout: FrameKey.Layout, _ isFirst: Bool
  ) throws -> Keys {
    // Any key will do: it is not secret here.
    guard suite.isAvailable, let base = SessionKey(bytes: (0..<32).map { UInt8($0) }) else {
      throw ScenarioError(
        .unavailable, "\(suite.name) is not to be had on this machine, or no memory for its keys")
    }
    let key = { (isFromFirst: Bool, isSealing: Bool) in
      let direction: UInt8 = isFromFirst ? 1 : 2
      return suite == .secretbox
        ? FrameKey(secretbox: base, isSenderOutbound: isFromFirst, isSealing: isSealing)
        : FrameKey(
          suite, layout: layout, isSealing: isSealing,
          identifier: (layout == .esp ? 0x1000 : 0) + UInt32(direction), from: base,
          nonce: Array(repeating: direction, count: 32), info: Array(repeating: 0, count: 8))
    }
    return Keys(sealing: key(isFirst, true), opening: key(!isFirst, false))
  }
}

extension PeerName {
  /// The short number of a peer of the laboratory.
  var laboratoryShortID: ShortID? { ShortID(UInt16(truncatingIfNeeded: bits & 0xFFF)) }
}

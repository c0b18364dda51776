// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing

/// What carries frames between two hosts in `sleeve`.
enum HostJoint: Equatable, Sendable {
  /// Our sleeve over AF_XDP.
  case sleeve(isSealed: Bool)
  /// Our VXLAN over AF_XDP.
  case vxlan
  /// The same on a wire that cuts and joins packets for whoever asks.
  case offloadedXDP
  /// Our VXLAN over the kernel's UDP sockets, on such a wire.
  case sockets
  /// Two real Weave Net routers.
  case weave(isSealed: Bool)
  /// Another program of this name, which routes.
  case routed(String)

  /// What it is called in results, as a competitor.
  var name: String {
    switch self {
    case .sleeve: "sleeve"
    case .vxlan: "vxlan"
    case .offloadedXDP: "xdp"
    case .sockets: "sockets"
    case .weave: "weave"
    case .routed(let name): name
    }
  }

  /// What it is called in results, as ours.
  var measureName: String { self == .sleeve(isSealed: true) ? "sleeve.sealed" : name }

  /// Whether the wire's ends cut and join packets.
  var hasWireOffloads: Bool { self == .sockets || self == .offloadedXDP }

  /// How our frames travel, the first host's side if `isFirst`; nil if it is not ours.
  func transport(isFirst: Bool) throws -> WeftTransport? {
    switch self {
    case .vxlan, .offloadedXDP: return WeftTransport()
    case .sockets: return WeftTransport(sleeve: nil, usesSockets: true)
    case .weave, .routed: return nil
    case .sleeve(let isSealed):
      // Any key will do: it is not secret here.
      let key = SessionKey(bytes: (0..<32).map { UInt8($0) })
      let names = [PeerName(bits: 0x02_00_00_00_00_01), PeerName(bits: 0x02_00_00_00_00_02)]
      return WeftTransport(
        sleeve: .init(
          own: names[isFirst ? 0 : 1], remote: names[isFirst ? 1 : 0], key: isSealed ? key : nil,
          isOutbound: isFirst))
    }
  }
}

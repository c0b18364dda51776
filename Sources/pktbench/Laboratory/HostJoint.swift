// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Sealing

/// What carries frames between two hosts in `sleeve` and `encrypted`.
enum HostJoint: Equatable, Sendable {
  /// Our sleeve over AF_XDP, sealed with a suite or, without one, in clear.
  case sleeve(CipherSuite?)
  /// Our VXLAN over AF_XDP.
  case vxlan
  /// The same in ESP.
  case esp
  /// VXLAN in clear on a wire that cuts and joins packets for whoever asks, with containers as
  /// `weft attach` makes them.
  case offloadedXDP
  /// Our VXLAN over the kernel's UDP sockets, with the same wire and containers.
  case sockets
  /// Two real Weave Net routers.
  case weave(isSealed: Bool)
  /// Another program of this name, which routes.
  case routed(String)

  /// What it is called in results, as a competitor.
  var name: String {
    switch self {
    case .sleeve(nil), .sleeve(.secretbox): "sleeve"
    case .sleeve(let suite?): "sleeve-\(suite.name)"
    case .vxlan: "vxlan"
    case .esp: "esp"
    case .offloadedXDP: "xdp"
    case .sockets: "sockets"
    case .weave: "weave"
    case .routed(let name): name
    }
  }

  /// What it is called in results, as ours.
  var measureName: String {
    switch self {
    case .sleeve(.secretbox): "sleeve.sealed"
    case .sleeve(let suite?): "sleeve.\(suite.name)"
    case .esp: "encrypted"
    default: name
    }
  }

  /// Whether the wire's ends cut and join packets, and the containers' are as `weft attach` makes
  /// them.
  var hasOffloads: Bool { self == .sockets || self == .offloadedXDP }

  /// The longest frame that goes over a wire in one piece.
  func frameLengthMax(over tunnel: Tunnel) -> Int {
    switch self {
    case .sleeve(let suite): tunnel.frameLengthMax(by: .sleeve, isSealed: suite != nil)
    case .weave(let isSealed): tunnel.frameLengthMax(by: .sleeve, isSealed: isSealed)
    case .esp: tunnel.frameLengthMax(by: .vxlan, isSealed: true)
    case .vxlan, .offloadedXDP, .sockets: tunnel.frameLengthMax(by: .vxlan, isSealed: false)
    case .routed: RoutedHost.mtu(over: tunnel) + 14
    }
  }

  /// How our frames travel, the first host's side if `isFirst`; nil if it is not ours.
  func transport(isFirst: Bool) throws -> WeftTransport? {
    switch self {
    case .vxlan, .offloadedXDP: WeftTransport()
    case .sockets: WeftTransport(link: nil, usesSockets: true)
    case .weave, .routed: nil
    case .esp: try .esp(isFirst: isFirst)
    case .sleeve(let suite): try .sleeve(suite, isFirst: isFirst)
    }
  }
}

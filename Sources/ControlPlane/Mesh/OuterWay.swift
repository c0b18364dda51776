// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

/// How outer packets reach a host.
enum OuterWay: Equatable {
  /// From our own frames, through the underlay's AF_XDP sockets.
  case direct(NextHop)
  /// By the kernel, through UDP sockets; the text says why not directly.
  case kernel(SocketRoute, because: String)
  /// Not at all, and why.
  case none(because: String)

  /// The largest packet that fits, in bytes.
  var mtu: Int? {
    switch self {
    case .direct(let hop): hop.mtu
    case .kernel(let route, _): route.mtu
    case .none: nil
    }
  }
}

extension ControlPlane {
  /// How packets reach a host now: directly if its route leaves by the underlay in use and the next
  /// hop's hardware address is known; as the kernel sends them if it leaves elsewhere.
  func outerWay(to address: IPv4Address) -> (way: OuterWay, asked: NextHopState?) {
    var asked: NextHopState?
    var reason = underlayRefusal
    if let underlay {
      let state = nextHop(of: address, on: underlay)
      asked = state
      switch state {
      case .resolved(let hop): return (.direct(hop), state)
      case .unresolved(let why):
        reason = why.description
        // The kernel would not get there either.
        if why.isTransient { return (.none(because: reason), state) }
      }
    }
    do {
      guard let route = try netlink.socketRoute(to: address) else {
        return (.none(because: reason), asked)
      }
      return (.kernel(route, because: reason), asked)
    } catch {
      logger.warning("route", metadata: ["address": "\(address)", "problem": "\(error)"])
      return (.none(because: "\(error)"), asked)
    }
  }

  /// The path of packets to an address and UDP port, as far as both overlays have it in common;
  /// nil without a way.
  func outerPath(
    _ way: OuterWay?, to remote: SocketAddress, from local: IPv4Address, network: VirtualNetwork,
    innerLengthMax: Int
  ) -> EndpointPath? {
    switch way {
    case .direct(let hop)?:
      var path = EndpointPath(
        sourceMAC: hop.sourceMAC, destinationMAC: hop.destinationMAC,
        source: local.bits == 0 ? hop.sourceAddress : local, destination: remote.address,
        destinationPort: remote.port, network: network,
        innerLengthMax: min(innerLengthMax, hop.mtu - ControlPlane.outerLength))
      path.underlayPort = ControlPlane.underlayPort
      return path
    case .kernel(let route, _)?:
      var path = EndpointPath(
        sourceMAC: .zero, destinationMAC: .zero,
        source: local.bits == 0 ? route.sourceAddress : local, destination: remote.address,
        destinationPort: remote.port, network: network,
        innerLengthMax: min(innerLengthMax, route.mtu - ControlPlane.outerLength))
      path.underlayPort = ControlPlane.socketPort
      return path
    case .none?, nil: return nil
    }
  }

  /// What VXLAN takes of an outer packet's MTU in favour of the inner frame with its Ethernet
  /// header: IPv4, UDP and VXLAN headers.
  static let outerLength = 36

  /// The longest inner frame that an outer packet of `mtu` bytes carries as VXLAN in ESP.
  ///
  /// Around it are IPv4, ESP's header, IV and tag; in the text UDP and VXLAN headers and the
  /// trailer's two bytes, all of that a multiple of four.
  static func sealedFrameLengthMax(mtu: Int) -> Int { max(0, ((mtu - 52) & ~3) - 18) }
}

extension NextHopState.Reason {
  /// Whether the way is the underlay's, and only does not work at the moment.
  fileprivate var isTransient: Bool {
    switch self {
    case .asking, .silent, .interfaceDown, .noRoute: true
    case .local, .unsupportedRoute, .otherInterface, .noSourceAddress, .notEthernet: false
    }
  }
}

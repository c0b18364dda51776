// SPDX-License-Identifier: Apache-2.0

internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// Asks the kernel how each endpoint is reached and tells the model.
  func resolveEndpoints() {
    for position in endpoints.indices {
      let before = endpoints[position]
      var after = before
      let (way, asked) = outerWay(to: before.options.address)
      after.way = way
      after.neighbour = asked?.neighbour
      endpoints[position] = after
      model.setEndpoint(after.index, reached: path(to: after))
      if after.reason != before.reason || after.isUnusable != before.isUnusable { report(after) }
    }
  }

  /// Has the kernel forget neighbours that no endpoint needs any more, and those that a predecessor
  /// asked for and we do not.
  func removeUnwantedNeighbours() {
    do {
      try netlink.removeManagedNeighbours(
        except: Set(endpoints.compactMap(\.neighbour)).union(meshNeighbourAddresses),
        on: underlay?.index)
    } catch {
      logger.warning("neighbours", metadata: ["problem": "\(error)"])
    }
  }

  func nextHop(of address: IPv4Address, on underlay: Link) -> NextHopState {
    do {
      return try netlink.resolveNextHop(for: address, through: underlay.index)
    } catch {
      logger.warning("next hop", metadata: ["address": "\(address)", "problem": "\(error)"])
      return .unresolved(.noRoute)
    }
  }

  private func path(to endpoint: EndpointState) -> EndpointPath? {
    outerPath(
      endpoint.way, to: SocketAddress(endpoint.options.address, port: endpoint.options.port),
      from: IPv4Address(bits: 0), network: endpoint.options.network, innerLengthMax: .max)
  }

  private func report(_ endpoint: EndpointState) {
    logger.info(
      "endpoint",
      metadata: [
        "address": "\(endpoint.options.address)", "vni": "\(endpoint.options.network)",
        "state": "\(endpoint.isUnusable ? "unresolved" : "resolved")",
        "reason": "\(endpoint.reason)",
      ])
  }
}

extension ControlPlane.EndpointState {
  /// Whether frames for it are dropped at present.
  var isUnusable: Bool {
    if case .none = way { true } else { false }
  }

  /// Why so, in words.
  var reason: String {
    switch way {
    case .none(let reason): reason
    case .kernel(_, let reason): "through the kernel's sockets: \(reason)"
    case .direct: ""
    }
  }
}

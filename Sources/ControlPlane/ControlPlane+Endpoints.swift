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
      if let underlay {
        after.refusal = nil
        after.state = nextHop(of: before.options.address, on: underlay)
      } else {
        after.refusal = underlayRefusal
      }
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
        except: Set(endpoints.compactMap(\.state.neighbour)).union(meshNeighbourAddresses),
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
    guard endpoint.refusal == nil, let underlay, case .resolved(let hop) = endpoint.state
    else { return nil }
    return EndpointPath(
      sourceMAC: hop.sourceMAC, destinationMAC: hop.destinationMAC, source: hop.sourceAddress,
      destination: endpoint.options.address, destinationPort: endpoint.options.port,
      network: endpoint.options.network, innerLengthMax: min(hop.mtu, underlay.mtu) - 36)
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
    if case .resolved = state { refusal != nil } else { true }
  }

  /// Why so, in words.
  var reason: String {
    if let refusal { return refusal }
    if case .unresolved(let reason) = state { return reason.description }
    return ""
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet

extension ConnectionMaker {
  /// The addresses that are no connections, as people see them; in order.
  func report(_ view: View, now: MeshInstant) -> [MeshReport.Connection] {
    let names = targets.filter(\.addresses.isEmpty).map { target in
      var line = MeshReport.Connection(address: target.text, isOutbound: true, state: .failed)
      line.problem = "the name does not resolve: correct it, or connect again when it does"
      return line
    }
    let addresses = candidates.sorted { Self.precedes($0.key, $1.key) }.compactMap {
      line($0.key, $0.value, view, now: now)
    }
    return names + addresses
  }

  private func line(
    _ address: SocketAddress, _ candidate: Candidate, _ view: View, now: MeshInstant
  ) -> MeshReport.Connection? {
    var line = MeshReport.Connection(
      address: address.description, isOutbound: true, state: .waiting)
    line.problem = candidate.problem ?? ""
    switch candidate.phase {
    case .connected: return nil
    case .dialing:
      line.state = candidate.problem == nil ? .connecting : .retrying
    case .waiting(let until):
      // Whoever answered there is connected by another way, and listed with that.
      if let peer = candidate.peer, view.connected[peer] != nil { return nil }
      if until != nil, view.room <= dialingCount {
        line.state = .suspended
        line.problem = "there are as many connections as allowed"
      } else {
        line.state = candidate.problem == nil ? .waiting : .failed
        line.retryAfter = until.map { max(.zero, now.duration(to: $0)) }
      }
    }
    return line
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh

/// What has to be true at rest, when everybody has heard everything.
extension World {
  /// Whether each of these hosts has an established connection with each other one.
  func isFullMesh(_ numbers: [Int]) -> Bool {
    numbers.allSatisfy { hosts[$0].established.count == numbers.count - 1 }
      && numbers.allSatisfy { hosts[$0].established.isSubset(of: namesOf(numbers)) }
  }

  private func namesOf(_ numbers: [Int]) -> Set<PeerName> {
    Set(numbers.map { hosts[$0].options.name })
  }

  /// Whether these hosts know each other and nobody else.
  func isOnlyAware(of numbers: [Int]) -> Bool {
    guard numbers.allSatisfy({ hosts[$0].machine.topology.peers.count == numbers.count }) else {
      return false
    }
    let names = namesOf(numbers)
    return numbers.allSatisfy { hosts[$0].machine.topology.peers.keys.allSatisfy(names.contains) }
  }

  /// The first thing about which these hosts, all those of their part that run, do not agree; nil
  /// if everything is in order.
  func disagreement(among numbers: [Int]) -> String? {
    guard isOnlyAware(of: numbers) else {
      let number = numbers.first { !isOnlyAware(of: numbers, $0) } ?? 0
      return "host \(number) knows \(hosts[number].machine.topology.peers.count) peers of"
        + " \(numbers.count), or others"
    }
    return disagreementAboutPeers(numbers) ?? disagreementAboutWays(numbers)
  }

  private func isOnlyAware(of numbers: [Int], _ number: Int) -> Bool {
    Set(hosts[number].machine.topology.peers.keys) == namesOf(numbers)
  }

  private func disagreementAboutPeers(_ numbers: [Int]) -> String? {
    var owners: [ShortID: Int] = [:]
    for number in numbers {
      let own = hosts[number].machine.topology.own
      for other in numbers {
        let known = hosts[other].machine.topology.peers[own.name]
        guard known?.version == own.version else {
          return "host \(other) knows version \(known?.version ?? 0) of host \(number), not"
            + " \(own.version)"
        }
        guard known == own else { return "host \(other) knows something else of host \(number)" }
      }
      guard let shortID = own.shortID else { return "host \(number) has no short number" }
      if let other = owners.updateValue(number, forKey: shortID) {
        return "hosts \(other) and \(number) have the same short number"
      }
    }
    return nil
  }

  private func disagreementAboutWays(_ numbers: [Int]) -> String? {
    var hostOf: [PeerName: Int] = [:]
    for number in numbers { hostOf[hosts[number].options.name] = number }
    for source in numbers {
      for destination in numbers where destination != source {
        if let loss = lossOfPacket(from: source, to: destination, hostOf: hostOf) { return loss }
      }
      if let problem = problemOfFlood(from: source, hostOf: hostOf) { return problem }
    }
    return nil
  }

  /// Pairs of a host and a peer whose established connection was lost since then.
  func flapping(since moment: MeshInstant) -> [String] {
    var counts: [String: Int] = [:]
    for loss in losses where loss.at >= moment {
      counts["host \(loss.host) lost \(loss.peer)", default: 0] += 1
    }
    return counts.map { "\($0.key) \($0.value) times" }.sorted()
  }
}

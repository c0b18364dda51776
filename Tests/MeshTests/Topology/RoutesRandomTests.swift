// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Mesh
import TestSupport
import Testing

/// Ways through random topologies, compared with the textbook and followed by floods.
struct RoutesRandomTests {
  /// A thousand topologies, or a hundred thousand with `WEFT_SOAK=1`, in ten parts.
  private static let countOfAPart =
    ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1" ? 10_000 : 100

  /// Mostly small ones, which have all there is to get wrong; one in a hundred is larger.
  private static func randomPicture(_ random: inout SeededGenerator) -> Picture {
    let isLarge = random.number(below: 100) == 0
    let count = isLarge ? 13 + random.number(below: 48) : 1 + random.number(below: 12)
    return Picture.random(count: count, &random)
  }

  @Test(arguments: 0..<10) func everyWayIsThatOfTheTextbook(part: Int) throws {
    for number in 0..<Self.countOfAPart {
      var random = SeededGenerator(seed: UInt64(part * Self.countOfAPart + number))
      let picture = Self.randomPicture(&random)
      let problem = try firstDifference(picture)
      #expect(problem == nil, "\(random)")
      if problem != nil { return }
    }
  }

  /// What is different between `Routes` of any peer and the textbook; nil if nothing is.
  private func firstDifference(_ picture: Picture) throws -> String? {
    for edges in [Routes.Edges.all, .established] {
      let textbook = TextbookRoutes(picture.peers, edges: edges)
      let widenings = picture.peers.mapValues { textbook.widen(from: $0.name) }
      for own in picture.peers.keys {
        let topology = picture.topology(of: own)
        var routes = Routes(topology, edges: edges)
        if routes.unicast != widenings[own]?.firstHops { return "unicast at \(own), \(edges)" }
        for source in topology.peers.keys {
          let (_, reached) = widenings[source] ?? textbook.widen(from: source)
          let expected = textbook.broadcast(at: own, reached).sorted()
          if routes.broadcast(from: source) != expected {
            return "broadcast of \(source) at \(own), \(edges)"
          }
        }
      }
    }
    return nil
  }

  @Test(arguments: fixedSeeds) func floodReachesEverybodyOnce(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<10 {
      var picture = Picture((1...UInt64(2 + random.number(below: 30))).map(peer))
      let names = picture.peers.keys.sorted()
      for _ in 0..<random.number(below: 3 * names.count) {
        let (one, other) = (random.number(below: names.count), random.number(below: names.count))
        if one != other { picture.connect(names[one], names[other]) }
      }
      var routes: [PeerName: Routes] = [:]
      for name in names {
        routes[name] = Routes(picture.topology(of: name), edges: .established)
      }
      for source in names {
        let connected = Set(routes[source]?.unicast.keys.map { $0 } ?? [])
        let received = flood(from: source, &routes, limit: 2 * names.count)
        #expect(Set(received) == connected, "\(random)")
        #expect(received.count == connected.count, "\(random)")
      }
    }
  }

  /// Everybody who received a frame, as often as that happened; ends at `limit`.
  private func flood(
    from source: PeerName, _ routes: inout [PeerName: Routes], limit: Int
  ) -> [PeerName] {
    var received: [PeerName] = []
    var senders = [source]
    while let sender = senders.popLast(), received.count <= limit {
      let next = routes[sender]?.broadcast(from: source) ?? []
      received += next
      senders += next
    }
    return received
  }
}

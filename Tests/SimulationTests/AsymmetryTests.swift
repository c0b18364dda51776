// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Paths that lead one way only, clocks that leap and hosts that stall.
@Suite struct AsymmetryTests {
  private typealias Way = Conditions.Way
  private let test = "AsymmetryTests"

  @Test(arguments: WorldRun.runs(2))
  func nothingFlaps(run: WorldRun) {
    let world = World(run)
    world.conditions.lossPer10000 = 100
    world.conditions.duplicatesPer10000 = 100
    world.conditions.latePer10000 = 100
    _ = world.join(within: .seconds(5))
    spoilWays(world)
    world.pass(.seconds(60))
    disturb(world)
    // The last fault ends after 90 s; a minute later all is calm.
    world.pass(.seconds(150))
    let calm = world.now
    world.pass(.seconds(240))
    let numbers = world.living
    let time = world.pass(atMost: .seconds(120)) { $0.disagreement(among: numbers) == nil }
    guard world.isSound(in: test) else { return }
    let flapping = world.flapping(since: calm)
    if !flapping.isEmpty {
      return world.fail("connections flap: \(flapping.prefix(5))", in: test)
    }
    if time == nil {
      return world.fail(world.disagreement(among: numbers) ?? "nothing", in: test)
    }
    if let problem = missingConnection(world) { world.fail(problem, in: test) }
  }

  private func spoilWays(_ world: World) {
    let count = world.run.peerCount
    for number in [count - 2, count - 1] {
      world.hosts[number].gateway = IPv4Address(bits: 0xC0A8_0000 + UInt32(number))
    }
    func draw() -> Way {
      let from = world.random.number(below: count)
      return Way(from: from, to: (from + 1 + world.random.number(below: count - 1)) % count)
    }
    for _ in 0..<count / 4 { world.conditions.deafForDatagrams.insert(draw()) }
    // Everybody can dial those it begins with, which are earlier ones.
    for way in (0..<count / 2).map({ _ in draw() }) where way.from < way.to {
      world.conditions.deafForDials.insert(way)
    }
  }

  private func disturb(_ world: World) {
    let order = world.living.shuffled(using: &world.random)
    world.leap(order[0], by: .seconds(60 + world.random.number(below: 240)))
    world.leap(order[1], by: .seconds(10 + world.random.number(below: 40)))
    world.stall(order[2], for: .seconds(20 + world.random.number(below: 30)))
    world.stall(order[3], for: .seconds(90))
  }

  /// Two hosts that hear each other and of which one can dial the other, and which are not
  /// connected.
  private func missingConnection(_ world: World) -> String? {
    for one in world.living {
      for other in world.living where other > one {
        let ways = [Way(from: one, to: other), Way(from: other, to: one)]
        let deaf = world.conditions.deafForDatagrams
        let isDialable = ways.contains {
          !world.conditions.deafForDials.contains($0) && world.hosts[$0.to].gateway == nil
        }
        guard isDialable, deaf.isDisjoint(with: ways) else { continue }
        let names = [one, other].map { world.hosts[$0].options.name }
        guard world.hosts[one].established.contains(names[1]),
          world.hosts[other].established.contains(names[0])
        else { return "hosts \(one) and \(other) are not connected" }
      }
    }
    return nil
  }
}

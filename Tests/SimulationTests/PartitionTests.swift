// SPDX-License-Identifier: Apache-2.0

import Mesh
import TestSupport
import Testing

/// The network falls into two halves, and is whole again.
@Suite struct PartitionTests {
  @Test(arguments: WorldRun.runs(2))
  func halvesLiveOnAndFindEachOther(run: WorldRun) {
    let test = "PartitionTests"
    guard let world = World.meshed(run, { $0.conditions.lossPer10000 = 100 }) else { return }
    let order = world.living.shuffled(using: &world.random)
    let halves = [Array(order.prefix(order.count / 2)), Array(order.dropFirst(order.count / 2))]
    let first = Set(halves[0])
    world.divide { first.contains($0) ? 1 : 2 }
    world.pass(.seconds(300))
    for half in halves {
      if let problem = world.disagreement(among: half) { return world.fail(problem, in: test) }
      guard world.isFullMesh(half) else { return world.fail("a half is torn", in: test) }
    }
    world.heal()
    let healedAt = world.now
    let numbers = world.living
    let time = world.pass(atMost: .seconds(600)) {
      $0.isFullMesh(numbers) && $0.disagreement(among: numbers) == nil
    }
    guard world.isSound(in: test) else { return }
    guard let time else {
      return world.fail(world.disagreement(among: numbers) ?? "no full mesh", in: test)
    }
    world.figure("healed", time)
    world.pass(.seconds(180))
    let flapping = world.flapping(since: healedAt.advanced(by: .seconds(60)))
    if !flapping.isEmpty { world.fail("connections flap: \(flapping.prefix(5))", in: test) }
    guard world.isSound(in: test), world.isFullMesh(numbers) else {
      return world.fail("the mesh did not last", in: test)
    }
  }
}

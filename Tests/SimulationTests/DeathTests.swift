// SPDX-License-Identifier: Apache-2.0

import Mesh
import TestSupport
import Testing

/// A quarter of the peers is gone at once.
@Suite struct DeathTests {
  @Test(arguments: WorldRun.runs(3))
  func resetsAreHeardOfByEverybody(run: WorldRun) {
    die(run, "told", atMost: .seconds(30)) { $0.stop($1) }
  }

  @Test(arguments: WorldRun.runs(3))
  func silenceIsNoticedByEverybody(run: WorldRun) {
    die(run, "silent", atMost: .seconds(30)) { $0.darken($1) }
  }

  private func die(
    _ run: WorldRun, _ name: String, atMost limit: Duration, _ death: (World, Int) -> Void
  ) {
    let test = "DeathTests"
    guard let world = World.meshed(run, { $0.conditions.lossPer10000 = 100 }) else { return }
    world.pass(.seconds(world.random.number(below: 30)))
    for number in world.living.shuffled(using: &world.random).prefix(run.peerCount / 4) {
      death(world, number)
    }
    let living = world.living
    let time = world.pass(atMost: limit) {
      $0.isOnlyAware(of: living) && $0.isFullMesh(living) && $0.disagreement(among: living) == nil
    }
    guard world.isSound(in: test) else { return }
    guard let time else {
      return world.fail(
        world.disagreement(among: living) ?? "connections are missing", in: test)
    }
    world.figure("death \(name)", time)
  }
}

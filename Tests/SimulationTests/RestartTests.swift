// SPDX-License-Identifier: Apache-2.0

import Mesh
import TestSupport
import Testing

/// Some peers go, with or without a word, and come back as new ones with their names.
@Suite struct RestartTests {
  @Test(arguments: WorldRun.runs(2))
  func everybodyAgreesAboutThemAgain(run: WorldRun) {
    let test = "RestartTests"
    guard let world = World.meshed(run, { $0.conditions.lossPer10000 = 100 }) else { return }
    let order = world.living.shuffled(using: &world.random)
    let known = order[0]
    for (index, number) in order.dropFirst().prefix(run.peerCount / 4).enumerated() {
      if index % 2 == 0 { world.stop(number) } else { world.darken(number) }
      world.after(.seconds(1 + world.random.number(below: 10))) {
        $0.start(number, connectedTo: [known])
      }
    }
    world.pass(.seconds(12))
    let numbers = world.living
    let time = world.pass(atMost: .seconds(60)) {
      $0.isFullMesh(numbers) && $0.disagreement(among: numbers) == nil
    }
    guard world.isSound(in: test) else { return }
    guard let time, numbers.count == run.peerCount else {
      return world.fail(
        world.disagreement(among: numbers) ?? "connections are missing", in: test)
    }
    world.figure("restarted", time)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import TestSupport
import Testing

/// Newcomers with names and short numbers that others have.
@Suite struct CollisionTests {
  private let test = "CollisionTests"

  @Test(arguments: WorldRun.runs(2))
  func bystandersLoseNoPacket(run: WorldRun) {
    guard let world = World.meshed(run) else { return }
    let founders = world.living
    let chosen = founders.shuffled(using: &world.random)
    let (namesake, renumbered, keeping) = (chosen[0], chosen[1], chosen[2])
    let bystanders = founders.filter { $0 != namesake && $0 != renumbered }
    watchPackets(world, among: bystanders, for: .seconds(60))
    let lower = world.add(shortID: world.shortID(renumbered)) {
      $0.name = PeerName(bits: 0x0100_0000_0000)
    }
    let higher = world.add(shortID: world.shortID(keeping))
    let double = world.add { $0.name = World.name(namesake + 1) }
    for (number, delay) in [(lower, 2), (higher, 4), (double, 6)] {
      let known = bystanders[world.random.number(below: bystanders.count)]
      world.after(.seconds(delay)) { $0.connect(number, to: [known]) }
    }
    world.pass(.seconds(60))
    guard world.isSound(in: test) else { return }
    world.stop(double)
    let living = world.living
    let time = world.pass(atMost: .seconds(300)) {
      $0.isFullMesh(living) && $0.disagreement(among: living) == nil
    }
    guard world.isSound(in: test) else { return }
    guard let time else {
      return world.fail(world.disagreement(among: living) ?? "no full mesh", in: test)
    }
    world.figure("namesake forgotten", time)
  }

  @Test(arguments: WorldRun.runs(2))
  func everybodyStartsWithTheSameShortNumber(run: WorldRun) {
    let world = World(run)
    _ = world.join(within: .seconds(5), shortID: 7)
    let numbers = world.living
    let time = world.pass(atMost: .seconds(60)) {
      $0.isFullMesh(numbers) && $0.disagreement(among: numbers) == nil
    }
    guard world.isSound(in: test) else { return }
    guard let time else {
      return world.fail(world.disagreement(among: numbers) ?? "no full mesh", in: test)
    }
    world.figure("renumbered", time)
  }

  /// Sends a packet from each to each other one ten times a second.
  private func watchPackets(_ world: World, among numbers: [Int], for duration: Duration) {
    var hostOf: [PeerName: Int] = [:]
    for number in world.living { hostOf[world.hosts[number].options.name] = number }
    let known = hostOf
    for step in 0..<Int(duration / .milliseconds(100)) {
      world.after(.milliseconds(100 * step)) { world in
        for source in numbers {
          for destination in numbers where destination != source {
            guard world.problem == nil else { return }
            world.problem = world.lossOfPacket(from: source, to: destination, hostOf: known)
          }
        }
      }
    }
  }
}

extension World {
  /// The short number a host has now.
  func shortID(_ number: Int) -> UInt16 { hosts[number].machine.forwarding.shortID?.number ?? 0 }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Sealing
import TestSupport
import Testing

/// Meshes with a password: keys are renewed, and passwords change, whatever the network does.
@Suite struct SealedTests {
  private let test = "SealedTests"

  private static func ring(_ primary: String, _ others: String...) -> PasswordRing? {
    PasswordRing(
      Password(Array(primary.utf8)), others: others.map { Password(Array($0.utf8)) })
  }

  /// Hosts with keys of different lives, each of which knows an earlier one.
  private func world(_ run: WorldRun, suites: [CipherSuite]) -> World {
    let world = World(run)
    world.conditions.lossPer10000 = 100
    world.conditions.duplicatesPer10000 = 100
    world.conditions.latePer10000 = 100
    for number in 0..<run.peerCount {
      let interval = Duration.milliseconds(2000 + world.random.number(below: 18_000))
      world.add {
        $0.passwords = Self.ring("old")
        $0.suites = suites
        $0.canUseESP = suites.contains(.aes256gcm)
        $0.rekeyInterval = interval
      }
      if number > 0 { world.connect(number, to: [world.random.number(below: number)]) }
    }
    return world
  }

  private func areConnected(_ world: World, by overlay: OverlayKind) -> Bool {
    world.living.allSatisfy { number in
      let neighbours = world.hosts[number].machine.forwarding.neighbours
      return neighbours.count == world.living.count - 1
        && neighbours.allSatisfy { $0.chosen == overlay }
    }
  }

  @Test(arguments: WorldRun.runs(1), [CipherSuite.aes256gcm, .chacha20poly1305])
  func keysAndPasswordsChangeWithoutAGap(run: WorldRun, suite: CipherSuite) {
    let world = world(run, suites: [suite])
    let overlay: OverlayKind = suite == .aes256gcm ? .fastdp : .sleeve
    let joined = world.pass(atMost: .seconds(90)) { areConnected($0, by: overlay) }
    guard world.isSound(in: test) else { return }
    guard joined != nil else { return world.fail("no sealed mesh after 90 s", in: test) }
    world.pass(.seconds(5))
    let lossCount = world.losses.count
    trouble(world)
    changePasswords(world)
    world.pass(.seconds(150))
    guard world.isSound(in: test) else { return }
    if world.losses.count > lossCount { return world.fail("connections were lost", in: test) }
    if !areConnected(world, by: overlay) { return world.fail("not all by \(overlay)", in: test) }
    // Who has only the old password is not let in.
    let stranger = world.add { $0.passwords = Self.ring("old") }
    world.connect(stranger, to: [0, 1])
    world.pass(.seconds(20))
    guard world.isSound(in: test) else { return }
    if !world.hosts[stranger].established.isEmpty {
      world.fail("an old password is good", in: test)
    }
  }

  /// Hosts do nothing for a while, and keys are used up.
  private func trouble(_ world: World) {
    for second in stride(from: 0, to: 140, by: 2) {
      let number = world.random.number(below: world.run.peerCount)
      let other = World.name(world.random.number(below: world.run.peerCount) + 1)
      let stall = Duration.milliseconds(world.random.number(below: 2500))
      let overlay: OverlayKind = second % 4 == 0 ? .fastdp : .sleeve
      world.after(.seconds(second)) { world in
        if second % 10 == 0 { world.stall(number, for: stall) }
        world.give(.keyUsed(other, overlay), to: number)
      }
    }
  }

  /// Each host accepts the new password, then shows it, then forgets the old one.
  private func changePasswords(_ world: World) {
    let steps = [Self.ring("old", "new"), Self.ring("new", "old"), Self.ring("new")]
    for (step, ring) in steps.enumerated() {
      guard let ring else { return }
      for number in 0..<world.run.peerCount {
        let delay = Duration.milliseconds(40_000 * step + world.random.number(below: 30_000))
        world.after(delay) { world in
          world.hosts[number].options.passwords = ring
          world.give(.passwords(ring), to: number)
        }
      }
    }
  }

  /// Sessions that are ended and begun anew have new keys, and no frame is opened by old ones.
  @Test(arguments: WorldRun.runs(1))
  func sealedMeshHealsAfterRestarts(run: WorldRun) {
    let world = world(run, suites: [.aes256gcm])
    world.pass(.seconds(60))
    for round in 0..<4 {
      let number = 1 + world.random.number(below: run.peerCount - 1)
      if round % 2 == 0 { world.stop(number) } else { world.darken(number) }
      world.pass(.seconds(world.random.number(below: 15)))
      world.start(number, connectedTo: [0])
      world.pass(.seconds(20))
      guard world.isSound(in: test) else { return }
    }
    let time = world.pass(atMost: .seconds(200)) { areConnected($0, by: .fastdp) }
    guard world.isSound(in: test) else { return }
    if time == nil { world.fail("not everybody is back", in: test) }
  }
}

// SPDX-License-Identifier: Apache-2.0

@testable import Mesh
import TestSupport
import Testing

/// Peers that know one or two others become a mesh.
@Suite struct JoinTests {
  @Test(arguments: WorldRun.runs(5))
  func everybodyIsConnectedWithEverybody(run: WorldRun) {
    let test = "JoinTests"
    let world = World(run)
    world.conditions.lossPer10000 = 100
    let last = world.join(within: .seconds(5))
    world.pass(world.now.duration(to: last))
    let numbers = world.living
    let time = world.pass(atMost: .seconds(10)) {
      $0.isFullMesh(numbers) && $0.disagreement(among: numbers) == nil
    }
    guard world.isSound(in: test) else { return }
    guard let time else {
      let missing = numbers.map { numbers.count - 1 - world.hosts[$0].established.count }
      let problem = world.disagreement(among: numbers) ?? "connections are missing"
      return world.fail("no mesh after 10 s: \(problem), missing \(missing)", in: test)
    }
    world.figure("joined", time)
  }

  @Test func equalSeedsLeadToEqualEvents() {
    func hash(_ seed: UInt64) -> UInt64 {
      let world = World(WorldRun(seed: seed, peerCount: 8))
      world.conditions.lossPer10000 = 300
      world.conditions.duplicatesPer10000 = 100
      world.conditions.latePer10000 = 100
      _ = world.join(within: .seconds(2))
      world.after(.seconds(20)) { $0.darken(3) }
      world.after(.seconds(21)) { $0.stop(4) }
      world.after(.seconds(30)) { $0.start(3, connectedTo: [0]) }
      world.after(.seconds(32)) { $0.divide { $0 % 2 } }
      world.after(.seconds(65)) { $0.heal() }
      world.pass(.seconds(90))
      #expect(world.problem == nil)
      return world.journal.hash
    }
    let first = hash(1)
    // Each process has another order of its dictionaries: compare this line of two of them.
    print("equal seeds lead to equal events: seed 1 leads to \(first)")
    #expect(hash(1) == first)
    #expect(hash(2) != first)
  }
}

extension World {
  /// Adds all hosts; each begins with knowing one or two earlier ones, at some time.
  ///
  /// Returns when the last one does.
  func join(within duration: Duration, shortID: UInt16? = nil) -> MeshInstant {
    for _ in 0..<run.peerCount { add(shortID: shortID) }
    let span = Int(duration / .milliseconds(1))
    let moments = (1..<run.peerCount).map { _ in random.number(below: span) }.sorted()
    for (index, moment) in moments.enumerated() {
      let number = index + 1
      // Nobody begins with the last two, so that they may be behind a NAT.
      let choice = min(number, run.peerCount - 2)
      let known = (0...random.number(below: 2)).map { _ in random.number(below: choice) }
      after(.milliseconds(moment)) { $0.connect(number, to: known) }
    }
    return now.advanced(by: .milliseconds(moments.last ?? 0))
  }

  /// A world in which all hosts are connected with each other; nil if they do not get there.
  static func meshed(_ run: WorldRun, _ prepare: (World) -> Void = { _ in }) -> World? {
    let world = World(run)
    prepare(world)
    _ = world.join(within: .seconds(2))
    let numbers = world.living
    let time = world.pass(atMost: .seconds(60)) {
      $0.isFullMesh(numbers) && $0.disagreement(among: numbers) == nil
    }
    if time == nil {
      world.fail("there is no mesh after a minute", in: "JoinTests")
      return nil
    }
    return world
  }

  /// Prints what was measured, if everything is tried in full or one run is repeated.
  func figure(_ name: String, _ duration: Duration) {
    guard WorldRun.hasFigures else { return }
    let gossip = hosts.map { Int($0.machine.counts.gossipReceived) }.reduce(0, +)
    print(
      "figure: \(name) \(duration / .seconds(1)) s, \(run.testDescription), \(eventCount) events,"
        + " \(gossip) messages of gossip")
  }
}

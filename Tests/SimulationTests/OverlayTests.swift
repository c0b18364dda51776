// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Paths that one overlay does not take, and paths of odd lengths.
@Suite struct OverlayTests {
  private typealias Way = Conditions.Way
  private let test = "OverlayTests"

  @Test(arguments: WorldRun.runs(2), [true, false])
  func sleeveCarriesWhileVXLANIsBlocked(run: WorldRun, areLively: Bool) {
    let world = World(run)
    world.conditions.lossPer10000 = 50
    for _ in 0..<5 { world.add { $0.isLively = areLively || world.hosts.count % 2 == 0 } }
    for number in 1..<5 { world.connect(number, to: [0]) }
    guard reach(world, .fastdp, within: .seconds(60)) != nil else { return }
    world.pass(.seconds(30))
    let all = Set(world.living)
    let ways = all.flatMap { from in all.map { Way(from: from, to: $0) } }
    world.conditions.deafForOverlay[.fastdp] = Set(ways)
    let limit = areLively ? 10 : 75
    guard let time = reach(world, .sleeve, within: .seconds(limit)) else { return }
    world.figure("left VXLAN", time)
    world.pass(.seconds(200))
    guard reach(world, .sleeve, within: .zero) != nil else { return }
    world.conditions.deafForOverlay = [:]
    guard reach(world, .fastdp, within: .seconds(35)) != nil else { return }
    if !world.losses.isEmpty { world.fail("connections were lost", in: test) }
  }

  /// Waits until everybody reaches everybody by an overlay, and fails if that takes too long.
  private func reach(_ world: World, _ overlay: OverlayKind, within limit: Duration) -> Duration? {
    let time = world.pass(atMost: limit) { world in
      world.living.allSatisfy { number in
        let neighbours = world.hosts[number].machine.forwarding.neighbours
        return neighbours.count == world.living.count - 1
          && neighbours.allSatisfy { $0.chosen == overlay }
      }
    }
    guard world.isSound(in: test) else { return nil }
    if time == nil { world.fail("not everybody uses \(overlay)", in: test) }
    return time
  }

  /// Nine hosts have 36 paths.
  @Test(arguments: WorldRun.runs(1), [true, false])
  func searchFindsThePathsOfAMesh(run: WorldRun, hasRouters: Bool) {
    let world = World(run)
    world.conditions.hasRouters = hasRouters
    for _ in 0..<9 { world.add { $0.underlayMTU = 9000 } }
    for one in 0..<9 {
      for other in 0..<one {
        let pathMTU = 576 + world.random.number(below: 9000 - 576 + 1)
        for way in [Way(from: one, to: other), Way(from: other, to: one)] {
          world.conditions.pathMTUs[way] = pathMTU
        }
      }
    }
    for number in 1..<9 { world.connect(number, to: [0]) }
    world.pass(.seconds(150))
    guard world.isSound(in: test) else { return }
    for number in world.living {
      for neighbour in world.hosts[number].machine.forwarding.neighbours {
        let other = Int(neighbour.name.bits & 0xFF) - 1
        let pathMTU = world.conditions.pathMTUs[Way(from: number, to: other)]
        guard neighbour.sleeve?.datagramLengthMax == pathMTU.map({ $0 - 28 }) else {
          let found = neighbour.sleeve?.datagramLengthMax ?? 0
          return world.fail(
            "host \(number) finds \(found) bytes to host \(other) of \(pathMTU ?? 0)", in: test)
        }
        // Heartbeats of VXLAN are as long as frames of containers.
        let expected: OverlayKind = (pathMTU ?? 0) >= 1426 ? .fastdp : .sleeve
        guard neighbour.chosen == expected else {
          return world.fail("host \(number) reaches \(other) not by \(expected)", in: test)
        }
      }
    }
    if !world.isFullMesh(world.living) { world.fail("connections are missing", in: test) }
  }
}

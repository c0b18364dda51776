// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// Meshes of many shapes: every station hears every flood once, and a frame for one station goes
/// there alone.
struct MeshTopologyTests {
  enum Shape: CaseIterable {
    case line, ring, star, full, notes

    /// Peers and connections.
    var mesh: (count: Int, edges: [(Int, Int)]) {
      switch self {
      case .line: (6, (0..<5).map { ($0, $0 + 1) })
      case .ring: (7, (0..<7).map { ($0, ($0 + 1) % 7) })
      case .star: (6, (0..<6).filter { $0 != 3 }.map { (3, $0) })
      case .full: (5, (0..<5).flatMap { first in ((first + 1)..<5).map { (first, $0) } })
      case .notes: (5, [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)])
      }
    }
  }

  /// The vectors in the description of Weave Net's routes.
  @Test func routesOfTheTestsAreThoseOfTheNotes() {
    let mesh = Shape.notes.mesh
    let routes = MeshRoutes(count: mesh.count, edges: mesh.edges)
    let hops = (0..<5).map { peer in (0..<5).map { routes.nextHop(from: peer, to: $0) } }
    #expect(
      hops == [
        [nil, 1, 2, 1, 1], [0, nil, 0, 3, 3], [0, 0, nil, 3, 3], [1, 1, 2, nil, 4],
        [3, 3, 3, 3, nil],
      ])
    let floods = (0..<5).map { source in
      (0..<5).map { routes.broadcast(at: $0, from: source) }
    }
    #expect(
      floods == [
        [[1, 2], [3], [], [4], []], [[2], [0, 3], [], [4], []], [[1], [], [0, 3], [4], []],
        [[], [0], [], [1, 2, 4], []], [[], [0], [], [1, 2], [3]],
      ])
  }

  @Test(arguments: Shape.allCases)
  func everyStationHearsAFloodOnce(shape: Shape) throws {
    let (count, edges) = shape.mesh
    try floodFromEverywhere(MemoryMesh(count: count, edges: edges, options: small))
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func everyStationHearsAFloodOnceInARandomMesh(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let count = 3 + random.number(below: 8)
    // A tree, so that all are connected, and some more.
    var edges = (1..<count).map { ($0, random.number(below: $0)) }
    for _ in 0..<random.number(below: 2 * count) {
      let (first, second) = (random.number(below: count), random.number(below: count))
      let isNew = !edges.contains { $0 == (first, second) || $0 == (second, first) }
      if first != second, isNew { edges.append((first, second)) }
    }
    do {
      try floodFromEverywhere(MemoryMesh(count: count, edges: edges, options: small))
    } catch {
      Issue.record("\(random), \(edges): \(error)")
    }
  }

  @Test(arguments: Shape.allCases)
  func frameForALearnedStationGoesThereAlone(shape: Shape) throws {
    let (count, edges) = shape.mesh
    let mesh = try MemoryMesh(count: count, edges: edges, options: small)
    for peer in 0..<count { try announce(peer, in: mesh) }
    for source in 0..<count {
      for target in 0..<count where target != source {
        let before = mesh.hopCount
        let bytes = frame(from: source, to: target)
        let heard = try mesh.pass(bytes, into: port(0), of: source)
        for peer in 0..<count {
          #expect(heard[peer] == (peer == target ? [port(0): [bytes]] : [:]))
        }
        #expect(mesh.hopCount - before == hops(from: source, to: target, mesh.routes))
      }
    }
    let copied = try mesh.switches.map { try $0.account.copied }
    for target in 1..<count { _ = try mesh.pass(frame(from: 0, to: target), into: port(0), of: 0) }
    #expect(try mesh.switches.map { try $0.account.copied } == copied)
  }

  @Test func meshGoesOnWhenAPeerTakesAnotherNumber() throws {
    let (count, edges) = Shape.line.mesh
    let mesh = try MemoryMesh(count: count, edges: edges, options: small)
    for peer in 0..<count { try announce(peer, in: mesh) }
    // The first and one in the middle.
    for peer in [0, 3] { mesh.renumber(peer, UInt16(17 + peer)) }
    let bytes = frame(from: 5, to: 0)
    #expect(try mesh.pass(bytes, into: port(0), of: 5)[0] == [port(0): [bytes]])
    try floodFromEverywhere(mesh)
  }

  private var small: MemorySwitch.Options {
    var options = MemorySwitch.Options()
    options.stationPortCount = 2
    options.frameCount = 256
    options.ringCapacity = 64
    options.fillTarget = 32
    return options
  }

  /// The station with the peer's number speaks up behind its port 0.
  private func announce(_ peer: Int, in mesh: MemoryMesh) throws {
    let request = FrameBuilder(sourceMAC: stationMAC(peer)).arpRequest()
    _ = try mesh.pass(request, into: port(0), of: peer)
  }

  private func floodFromEverywhere(_ mesh: MemoryMesh) throws {
    let count = mesh.switches.count
    for source in 0..<count {
      let request = FrameBuilder(sourceMAC: stationMAC(source)).arpRequest()
      let before = mesh.hopCount
      let heard = try mesh.pass(request, into: port(0), of: source)
      for peer in 0..<count {
        let own: [PortIndex: [[UInt8]]] = [port(1): [request]]
        let others: [PortIndex: [[UInt8]]] = [port(0): [request], port(1): [request]]
        #expect(heard[peer] == (peer == source ? own : others), "\(source) to \(peer)")
      }
      // A tree has an edge less than nodes.
      #expect(mesh.hopCount - before == count - 1)
    }
    for bridge in mesh.switches {
      let account = try bridge.account
      #expect(account.isBalanced && account.dropped.allSatisfy { $0 == 0 })
      bridge.worker.breathe(times: 2)
      #expect(bridge.knownChunkCount == bridge.options.frameCount)
    }
  }

  private func hops(from source: Int, to target: Int, _ routes: MeshRoutes) -> Int {
    var peer: Int? = source
    var count = 0
    while let here = peer, here != target {
      peer = routes.nextHop(from: here, to: target)
      count += 1
    }
    return count
  }
}

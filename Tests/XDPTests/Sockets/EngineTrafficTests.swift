// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Glibc
import Inet
import Testing
import XDP

@testable import Dataplane

/// Whole engines over real veths: many ports with little to do, and fewer queues than workers.
@Suite(.enabled(if: isRoot, rootComment))
struct EngineTrafficTests {
  @Test(.timeLimit(.minutes(5))) func silentPortsAreLeftToTheKernelAndComeBackWithAFrame()
    async throws
  {
    try await inNewNamespace {
      let count = 20
      let lab = try EngineLab(ports: count, queues: 1, cores: [0])
      defer { lab.engine.stop() }
      let table = lab.engine.hosts[0].ends.ports
      let kept = PortTable.polledCountMin
      for round in 1...3 {
        let areWatched = eventually { table.watchedCount == count - kept }
        #expect(areWatched, "round \(round): \(table.watchedCount) are watched")
        for number in 0..<count {
          try FrameSender("far\(number)").send(lab.frame(flow: 0, to: (number + 1) % count))
          let hasArrived = eventually { lab.received(number) == UInt64(round) }
          #expect(hasArrived, "round \(round): port \(number) did not receive its frame")
        }
        #expect(eventually { lab.sent == UInt64(round * count) })
      }
      // A flood leaves through ports that are watched, too, and none of them stays behind.
      try FrameSender("far0").send(lab.frame(flow: 0, to: 999))
      #expect(eventually { lab.sent == UInt64(3 * count + count - 1) })
      let isWatched = eventually { table.watchedCount == count - kept }
      #expect(isWatched)
      let account = try #require(lab.engine.account())
      #expect(account.isBalanced && account.received == UInt64(3 * count + 1))
      // What is watched can be closed as well.
      for number in 0..<count { #expect(lab.engine.closePort(PortIndex(UInt16(number))) == []) }
      #expect(table.watchedCount == 0 && table.polledCount == 0)
    }
  }

  @Test(.timeLimit(.minutes(5))) func workerWithoutAQueueHandsFramesToTheOneThatHasIt()
    async throws
  {
    try await inNewNamespace {
      // Port 0 has a queue for each worker, port 1 one queue only.
      let lab = try EngineLab(ports: 2, queues: 2, cores: [0, 0], lastPortQueues: 1)
      defer { lab.engine.stop() }
      let sender = try FrameSender("far0")
      let frames = 200
      for flow in 0..<frames {
        try sender.send(lab.frame(flow: flow, to: 1))
        usleep(200)
      }
      #expect(eventually { lab.sent == UInt64(frames) }, "\(lab.sent) of \(frames) were sent")
      let account = try #require(lab.engine.account())
      #expect(account.isBalanced && account.received == UInt64(frames))
      #expect(account.handedOver > 0 && account.handedOver == account.takenOver)
      #expect(account.dropped.allSatisfy { $0 == 0 })
      #expect(lab.engine.closePort(PortIndex(1)) == [])
      for flow in 0..<8 { try sender.send(lab.frame(flow: flow, to: 1)) }
      #expect(eventually { lab.engine.account()?.dropped(.portGone) == 8 })
    }
  }
}

/// Veth pairs near0–far0, near1–far1, … whose near ends are ports of one engine, with a station
/// behind each.
private final class EngineLab: Sendable {
  let engine: Engine
  private let portCount: Int

  init(ports: Int, queues: Int, cores: [Int], lastPortQueues: Int? = nil) throws {
    portCount = ports
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
    var writer = try SnapshotWriter(memory: memory, seed: 1)
    for number in 0..<ports {
      let location = Location(PortIndex(UInt16(number)))
      let isStored = writer.setStation(
        EngineLab.station(number), Station(location: location, entry: UInt32(number)))
      try #require(isStored)
    }
    let hasLists = writer.setFlood(
      ports: (0..<ports).map { PortIndex(UInt16($0)) }, endpoints: [])
    let isPublished = writer.publish()
    try #require(hasLists && isPublished)
    engine = try Engine(
      options: Engine.Options(cores: cores, idle: .adaptive, frameCount: 4096), snapshot: memory)
    for number in 0..<ports {
      let own = number == ports - 1 ? lastPortQueues ?? queues : queues
      let ends = "numrxqueues \(own) numtxqueues \(own)"
      try run("ip link add near\(number) \(ends) type veth peer name far\(number) \(ends)")
      for end in ["near", "far"] { try run("ip link set \(end)\(number) up") }
      try engine.openPort(
        PortSpecification(
          port: PortIndex(UInt16(number)), kind: .station, interface: "near\(number)",
          interfaceIndex: try interfaceIndex("near\(number)"), queueCount: own,
          frameLengthMax: 1514, attach: .automatic))
    }
  }

  private static func station(_ number: Int) -> MACAddress {
    MACAddress(bits: 0x02_00_00_00_01_00 + UInt64(number))
  }

  /// An IPv4 UDP frame of one of many flows from station 0 to another.
  func frame(flow: Int, to station: Int) -> [UInt8] {
    var bytes: [UInt8] = [2, 0, 0, 0, UInt8(1 + station >> 8), UInt8(station & 255)]
    bytes += [2, 0, 0, 0, 1, 0, 8, 0]
    bytes += [0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    bytes += [UInt8(flow >> 8), UInt8(flow & 255), 0x20, 0, 0, 26, 0, 0]
    return bytes + [UInt8](repeating: 7, count: 18)
  }

  /// Frames that came in at a port.
  func received(_ number: Int) -> UInt64 {
    engine.state(of: PortIndex(UInt16(number)))?.counters[PortCounter.receivedFrames.rawValue] ?? 0
  }

  /// Frames that left through any port.
  var sent: UInt64 { engine.account()?.sent ?? 0 }
}

// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Glibc
import Inet
import Routing
import Synchronization
import Tables
import Telemetry
import TestSupport
import Testing

@testable import Dataplane

/// Frames that arrive at one worker and leave through a port that another one serves.
struct HandOverTests {
  @Test func frameOfSeveralPiecesIsHandedOverWholeOrNotAtAll() throws {
    let pair = try WorkerPair()
    var handed: UInt64 = 0
    for payloadLength in [3798, 3799, 4054, 4055, 8150, 8151, 20_000, 65_507] {
      let bytes = frame(from: 1, to: 2, payloadLength: payloadLength)
      #expect(pair.entrance.arrive(bytes))
      _ = pair.first.breathe()
      _ = pair.second.breathe()
      #expect(pair.exit.takeSent() == [bytes])
      handed += 1
      try pair.expectBalance(handedOver: handed, sent: handed)
    }
    _ = pair.first.breathe()
    _ = pair.second.breathe()
    #expect(pair.first.framesFree + pair.entrance.chunkCount == 1024)
    #expect(pair.second.framesFree + pair.exit.chunkCount == 1024)
  }

  @Test func pathTakesAsManyLongFramesAsItHasRoomForAllPiecesOf() throws {
    let pair = try WorkerPair()
    let bytes = frame(from: 1, to: 2, payloadLength: 65_507)
    for _ in 0..<20 {
      #expect(pair.entrance.arrive(bytes))
      _ = pair.first.breathe()
    }
    // 17 of 256 places each.
    let account = try pair.account(pair.firstEnds)
    #expect(account.isBalanced && account.handedOver == 15)
    #expect(account.dropped(.handOverRingFull) == 5)
    var sent: [[UInt8]] = []
    for _ in 0..<4 {
      _ = pair.second.breathe()
      sent += pair.exit.takeSent()
    }
    #expect(sent == [[UInt8]](repeating: bytes, count: 15))
    try pair.expectBalance(handedOver: 15, sent: 15)
  }

  @Test func handedFrameForWhichChunksAreShortIsCounted() throws {
    let pair = try WorkerPair(secondFrameCount: 136)
    #expect(pair.entrance.arrive(frame(from: 1, to: 2, payloadLength: 65_507)))
    #expect(pair.entrance.arrive(frame(from: 1, to: 2)))
    _ = pair.first.breathe()
    _ = pair.second.breathe()
    #expect(pair.exit.takeSent() == [frame(from: 1, to: 2)])
    let account = try pair.account(pair.secondEnds)
    #expect(account.isBalanced && account.dropped(.noFrameForCopy) == 1)
  }

  @Test func frameForAnotherWorkersPortLeavesThereOneBreathLater() throws {
    let pair = try WorkerPair()
    let bytes = frame(from: 1, to: 2, payloadLength: 900)
    #expect(pair.entrance.arrive(bytes))
    _ = pair.first.breathe()
    #expect(pair.exit.takeSent().isEmpty)
    let drawn = pair.second.breathe()
    #expect(drawn == 1)
    #expect(pair.exit.takeSent() == [bytes])
    try pair.expectBalance(handedOver: 1, sent: 1)
  }

  @Test func framesKeepTheirOrderOverManyTurnsOfTheRing() throws {
    let pair = try WorkerPair()
    var generator = SeededGenerator(seed: 7)
    var expected: [[UInt8]] = []
    var seen: [[UInt8]] = []
    for number in 0..<600 {
      let bytes = frame(from: 1, to: 2, payloadLength: number)
      if pair.entrance.arrive(bytes) { expected.append(bytes) }
      _ = pair.first.breathe()
      if Bool.random(using: &generator) { _ = pair.second.breathe() }
      seen += pair.exit.takeSent()
    }
    for _ in 0..<16 {
      _ = pair.second.breathe()
      seen += pair.exit.takeSent()
    }
    #expect(seen == expected)
    try pair.expectBalance(handedOver: UInt64(expected.count), sent: UInt64(expected.count))
  }

  @Test func frameForAPortThatLeftMeanwhileIsDroppedAtTheOtherWorker() throws {
    let pair = try WorkerPair()
    #expect(pair.entrance.arrive(frame(from: 1, to: 2)))
    _ = pair.first.breathe()
    // The command comes first in the breath that takes the frame.
    pair.commandSecond(WorkerCommand(.stopQueue, slot: pair.exit.slot))
    #expect(try pair.account(pair.secondEnds).dropped(.portGone) == 1)
  }

  @Test func portNobodyCarriesAnyMoreIsGone() throws {
    let pair = try WorkerPair()
    pair.commandFirst(WorkerCommand(.stopHandingOver, port: port(1)))
    #expect(pair.entrance.arrive(frame(from: 1, to: 2)))
    _ = pair.first.breathe()
    #expect(try pair.account(pair.firstEnds).dropped(.portGone) == 1)
  }

  @Test func workerWithFramesWaitingMustNotFallAsleepAndAnAsleepOneIsSignalled() throws {
    // The signal is eight bytes written to a descriptor.
    var ends: [CInt] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let pair = try WorkerPair(wakeEvent: ends[1])
    let mayFall = pair.second.desk.fallAsleep()
    #expect(mayFall)
    #expect(pair.entrance.arrive(frame(from: 1, to: 2)))
    _ = pair.first.breathe()
    var count: UInt64 = 0
    #expect(unsafe read(ends[0], &count, 8) == 8 && count == 1)
    let mayFallWithFrames = pair.second.desk.fallAsleep()
    #expect(!mayFallWithFrames)
    pair.second.desk.wakeUp()
    _ = pair.second.breathe()
    let mayFallAgain = pair.second.desk.fallAsleep()
    #expect(mayFallAgain)
  }

  @Test func twoThreadsHandOverEveryFrame() async throws {
    let pair = try WorkerPair()
    let isDone = Atomic(false)
    let frames = 20_000
    async let left = Task.detached {
      var left = 0
      while !isDone.load(ordering: .acquiring) { left += pair.breatheSecond() }
      for _ in 0..<8 { left += pair.breatheSecond() }
      return left
    }.value
    let bytes = frame(from: 1, to: 2)
    for _ in 0..<frames {
      while !pair.entrance.arrive(bytes) { _ = pair.first.breathe() }
      _ = pair.first.breathe()
    }
    isDone.store(true, ordering: .releasing)
    let sent = UInt64(await left)
    let first = try pair.account(pair.firstEnds)
    let second = try pair.account(pair.secondEnds)
    #expect(first.isBalanced && second.isBalanced)
    #expect(first.received == UInt64(frames))
    #expect(first.handedOver + first.dropped(.handOverRingFull) == first.received)
    #expect(second.takenOver == first.handedOver)
    #expect(second.sent == sent && sent == second.takenOver)
  }
}

/// Two workers with one snapshot: port 0 is the first one's, port 1 the second one's, and station 2
/// is behind port 1.
///
/// Unchecked because tests keep to one thread for each worker.
private final class WorkerPair: @unchecked Sendable {
  let firstEnds: WorkerEnds
  let secondEnds: WorkerEnds
  let entrance: MemoryPort
  let exit: MemoryPort
  var first: Worker
  var second: Worker
  private var firstCommands: ProducerRing<WorkerCommand>
  private var secondCommands: ProducerRing<WorkerCommand>

  init(wakeEvent: CInt = -1, secondFrameCount: Int = 1024) throws {
    let snapshots = try SnapshotMemory(pageCount: 256, entryCountMax: 64)
    var model = try ForwardingModel(memory: snapshots, seed: 1, options: .init())
    for number in 0...1 { model.addPort(port(number), receivesFloods: true) }
    model.learn(Hint(mac: stationMAC(2).bits, location: behind(port: 1)), nowSeconds: 0)
    let isCommitted = model.commit()
    #expect(isCommitted)
    let handOver = try HandOverMemory(workerCount: 2)
    firstEnds = try WorkerEnds(frameCount: 1024)
    secondEnds = try WorkerEnds(frameCount: secondFrameCount)
    let events: [CInt] = [-1, wakeEvent]
    first = firstEnds.makeWorker(
      snapshot: snapshots, index: 0, hintEvent: -1, handOver: handOver, wakeEvents: events)
    second = secondEnds.makeWorker(
      snapshot: snapshots, index: 1, hintEvent: -1, handOver: handOver, wakeEvents: events)
    firstCommands = firstEnds.commandEnd()
    secondCommands = secondEnds.commandEnd()
    entrance = try WorkerPair.makePort(0, firstEnds)
    exit = try WorkerPair.makePort(1, secondEnds)
    commandFirst(WorkerCommand(.startQueue, slot: entrance.slot))
    commandFirst(WorkerCommand(.startHandingOver, slot: 1, port: port(1)))
    commandSecond(WorkerCommand(.startQueue, slot: exit.slot))
  }

  private static func makePort(_ number: Int, _ ends: WorkerEnds) throws -> MemoryPort {
    let made = try MemoryPort(
      port: port(number), kind: .station, slot: UInt16(number), ringCapacity: 512,
      frames: ends.frames)
    ends.ports.fill(
      made.slot, with: made.queue(frameLengthMax: Frame.lengthMax, fillTarget: 128, counters: ends))
    return made
  }

  func commandFirst(_ command: WorkerCommand) {
    let isTaken = firstCommands.append(command)
    #expect(isTaken)
    firstCommands.publish()
    _ = first.breathe()
  }

  func commandSecond(_ command: WorkerCommand) {
    let isTaken = secondCommands.append(command)
    #expect(isTaken)
    secondCommands.publish()
    _ = second.breathe()
  }

  /// A breath of the second worker; returns how many frames left its port.
  func breatheSecond() -> Int {
    _ = second.breathe()
    return exit.transmit()
  }

  func account(_ ends: WorkerEnds) throws -> FrameAccount {
    FrameAccount(values: try #require(ends.counters.values()))
  }

  func expectBalance(handedOver: UInt64, sent: UInt64) throws {
    let (before, after) = (try account(firstEnds), try account(secondEnds))
    #expect(before.isBalanced && after.isBalanced)
    #expect(before.handedOver == handedOver && after.takenOver == handedOver)
    #expect(after.sent == sent)
    #expect((before + after).isBalanced)
  }
}

// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import TestSupport
import Testing

@testable import Dataplane

/// A port that plays a file: how it meets a worker that is not always ready.
struct PcapPortTests {
  private let folder: PcapFolder

  init() throws { folder = try PcapFolder() }

  private func port(_ frames: [[UInt8]], _ ends: WorkerEnds) throws -> PcapPort {
    let input = try folder.file(captureFile(frames))
    return try PcapPort(
      .init(
        port: PortIndex(0), kind: .station, input: input, output: folder.path("out.pcap")),
      frames: ends.frames, ringCapacity: 64)
  }

  @Test func frameWaitsForAChunkAndIsNotLost() throws {
    let ends = try WorkerEnds(frameCount: 64)
    let port = try port([frame(from: 1, to: 2)], ends)
    #expect(try !port.deliver(), "the fill ring is empty")
    #expect(port.upcoming?.bytes == frame(from: 1, to: 2) && port.counts == .init())
    var memory = FrameMemory(memory: ends.frames)
    var queue = port.queue(counters: ends.portCounters(slot: 0))
    queue.replenish(slot: 0, memory: &memory)
    #expect(try port.deliver())
    #expect(port.upcoming == nil && port.counts.delivered == 1)
    var batch = Batch()
    queue.receive(into: &batch, memory: &memory)
    #expect(batch.count == 1)
    #expect(try port.deliver(), "nothing is left to wait for")
    #expect(port.counts.delivered == 1)
  }

  @Test func whatIsSentIsInTheFileAndItsChunkComesBack() throws {
    let ends = try WorkerEnds(frameCount: 64)
    let port = try port([frame(from: 1, to: 2)], ends)
    var memory = FrameMemory(memory: ends.frames)
    var queue = port.queue(counters: ends.portCounters(slot: 0))
    queue.replenish(slot: 0, memory: &memory)
    #expect(try port.deliver())
    var batch = Batch()
    queue.receive(into: &batch, memory: &memory)
    let free = memory.freeCount
    #expect(queue.send(batch.frames[0], slot: 0, memory: &memory))
    _ = queue.flush(memory: &memory)
    try port.collect(at: 42)
    queue.complete(memory: &memory)
    #expect(memory.freeCount == free + 1 && port.counts.sent == 1)
    try port.finish()
    let written = try records(of: folder.path("out.pcap"))
    #expect(written == [PcapRecord(nanoseconds: 42, bytes: frame(from: 1, to: 2))])
  }

  @Test func frameOfSeveralPiecesComesInAndLeavesWhole() throws {
    let ends = try WorkerEnds(frameCount: 64)
    let long = frame(from: 1, to: 2, payloadLength: 65_507)
    let port = try port([long], ends)
    var memory = FrameMemory(memory: ends.frames)
    var queue = port.queue(counters: ends.portCounters(slot: 0))
    queue.replenish(slot: 0, memory: &memory)
    #expect(try port.deliver() && port.counts.delivered == 1)
    var batch = Batch()
    queue.receive(into: &batch, memory: &memory)
    #expect(batch.count == 1 && batch.frames[0].pieceCount == 18)
    let free = memory.freeCount
    #expect(queue.send(batch.frames[0], slot: 0, memory: &memory))
    _ = queue.flush(memory: &memory)
    try port.collect(at: 42)
    queue.complete(memory: &memory)
    #expect(memory.freeCount == free + 18 && port.counts.sent == 1)
    try port.finish()
    let written = try records(of: folder.path("out.pcap"))
    #expect(written == [PcapRecord(nanoseconds: 42, bytes: long)])
  }

  @Test func frameLongerThanAnyPacketIsLeftOutAndCounted() throws {
    let ends = try WorkerEnds(frameCount: 64)
    let port = try port([[UInt8](repeating: 2, count: 65_550)], ends)
    #expect(try port.deliver())
    #expect(port.upcoming == nil && port.counts.tooLong == 1 && port.counts.delivered == 0)
  }

  @Test func portWithoutFilesIsSilent() throws {
    let ends = try WorkerEnds(frameCount: 64)
    let port = try PcapPort(
      .init(port: PortIndex(0), kind: .station, input: nil, output: nil), frames: ends.frames)
    #expect(port.upcoming == nil)
    #expect(try port.deliver())
    try port.collect(at: 0)
    try port.finish()
    #expect(port.counts == .init())
  }
}

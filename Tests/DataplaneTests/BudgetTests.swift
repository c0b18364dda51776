// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Routing
import Testing

@Suite struct BudgetTests {
  private func budget(
    workers: Int = 1, chunks: Int = 16_384, _ ports: [(kind: PortKind, queueCount: Int)]
  ) -> Budget {
    Budget(
      options: .init(cores: Array(0..<workers), idle: .adaptive, frameCount: chunks), ports: ports,
      snapshotBytes: 4096)
  }

  @Test func aQueueIsTheSumOfItsParts() {
    let kernel = budget([(.station, 1)]).kernel
    let itself = KernelMemoryBudget.bytesPerQueueItself
    // 128 bytes for each chunk; two rings of 16 KiB and two of 32 KiB, each with a page for its
    // header; descriptors being sent; 64 pages for packets.
    #expect(KernelMemoryBudget.ringBytes == 2 * (5 << 12) + 2 * (9 << 12))
    let parts = (2 << 20) + (112 << 10) + (32 << 10) + (256 << 10)
    #expect(kernel.bytesPerQueue == parts + itself)
    #expect(kernel.bytes == kernel.bytesPerQueue + KernelMemoryBudget.bytesPerPort)
  }

  @Test func portsThatAreLeftFitAndOneMoreDoesNot() {
    for (workers, chunks) in [(1, 16_384), (2, 16_384), (2, 8192), (8, 2048)] {
      let now = budget(workers: workers, chunks: chunks, [(.underlay, workers)])
      let left = now.kernel.portsLeft()
      let ports = Array(repeating: (kind: PortKind.station, queueCount: workers), count: left)
      let full = budget(workers: workers, chunks: chunks, [(.underlay, workers)] + ports)
      #expect(full.kernel.bytes <= KernelMemoryBudget.limit)
      #expect(full.kernel.bytes + full.kernel.bytesOfNextPort > KernelMemoryBudget.limit)
      #expect(full.kernel.portsLeft() == 0)
    }
  }

  @Test func aThousandStationsLeaveChunksForBurstsAndSending() {
    let ports = Array(repeating: (kind: PortKind.station, queueCount: 1), count: 1000)
    let frames = budget([(.underlay, 1)] + ports).frames
    #expect(frames.left > 2048)
  }

  @Test func aThousandPortsFitWithTheUsualChunksAndOneWorker() {
    #expect(budget([(.underlay, 1)]).portsLeft() >= 1000)
  }

  @Test func longFramesNeedChunksBesides() {
    #expect(FrameBudget.longFrameFill(frameLengthMax: 1514) == 0)
    #expect(FrameBudget.longFrameFill(frameLengthMax: 3840) == 0)
    #expect(FrameBudget.longFrameFill(frameLengthMax: 9014) == 2 * 3)
    #expect(FrameBudget.longFrameFill(frameLengthMax: Frame.lengthMax) == 2 * 18)
    let usual = FrameBudget(chunkCount: 16_384, underlayQueueCount: 1, stationQueueCount: 10)
    let long = FrameBudget(
      chunkCount: 16_384, underlayQueueCount: 1, stationQueueCount: 10, longFrameFill: 11 * 36)
    #expect(long.onFillRings == usual.onFillRings + 11 * 36)
    #expect(
      !FrameBudget(
        chunkCount: 16_384, underlayQueueCount: 0, stationQueueCount: 500, longFrameFill: 500 * 36
      ).isSound)
  }

  @Test func aBudgetThatIsOverdrawnHasNothingLeft() {
    let many = budget(Array(repeating: (.station, 1), count: 2048))
    #expect(many.kernel.bytes > KernelMemoryBudget.limit)
    #expect(many.portsLeft() == 0)
    #expect(many.slotsLeft == 0)
  }

  @Test func tablesBoundThePortsWhereMemoryDoesNot() {
    let large = budget(chunks: 65_536, [(.underlay, 1)])
    #expect(large.portsLeft(in: 1 << 50) == PortTable.capacity - 1)
  }

  @Test func chunksBoundThePortsWhereTheyAreFew() {
    let small = budget(chunks: 1024, [(.underlay, 1)])
    #expect(small.kernel.portsLeft() > 1000)
    let left = small.portsLeft()
    #expect(left > 10 && left < 200)
    for (more, isSound) in [(left, true), (left + 1, false)] {
      let ports = Array(repeating: (kind: PortKind.station, queueCount: 1), count: more)
      #expect(budget(chunks: 1024, [(.underlay, 1)] + ports).frames.isSound == isSound)
    }
  }

  @Test func manyQueuesOfAnUnderlayShareAQuarterOfTheChunks() {
    #expect(FrameBudget.underlayFill(queueCount: 1, of: 16_384) == 512)
    #expect(FrameBudget.underlayFill(queueCount: 32, of: 16_384) == 128)
    #expect(FrameBudget.underlayFill(queueCount: 256, of: 1024) == 8)
    #expect(budget([(.underlay, 32)]).frames.isSound)
  }

  @Test func everyChunkHasItsPlace() {
    for chunks in [64, 1024, 16_384] {
      for stations in [0, 1, 31, 1000] {
        let ports = Array(repeating: (kind: PortKind.station, queueCount: 1), count: stations)
        let frames = budget(chunks: chunks, [(.underlay, 1)] + ports).frames
        #expect(frames.onFillRings + frames.inBatch + frames.left == chunks)
        #expect(frames.inBatch >= 0 && frames.left >= 0)
      }
    }
  }

  @Test func theWorkerWithTheMostQueuesIsTheFirst() {
    // An interface with three queues and two workers: the first has two of them.
    let frames = budget(workers: 2, [(.underlay, 3), (.station, 2), (.station, 2)]).frames
    #expect(frames.underlayQueueCount == 2)
    #expect(frames.stationQueueCount == 2)
    #expect(frames.onFillRings == 2 * 512 + 2 * 128)
  }

  @Test func ownMemoryIsTheSumOfItsParts() {
    let process = budget(workers: 2, [(.station, 2)]).process
    #expect(process.chunkBytes == 2 * 16_384 * 4096)
    #expect(process.ringBytes == 2 * KernelMemoryBudget.ringBytes)
    #expect(process.snapshotBytes == 4096)
    #expect(process.counterBytes > 0 && process.tableBytes > 0 && process.handOverBytes > 0)
    #expect(
      process.bytes == process.chunkBytes + process.ringBytes + process.counterBytes
        + process.tableBytes + process.handOverBytes + process.snapshotBytes)
  }

  @Test func anEngineWithoutPortsHoldsNothingOfTheKernels() throws {
    let memory = try SnapshotMemory(pageCount: 16, entryCountMax: 100)
    var model = try ForwardingModel(memory: memory, seed: 1, options: .init())
    let isPublished = model.commit()
    #expect(isPublished)
    let engine = try Engine(
      options: .init(cores: [0], idle: .adaptive, frameCount: 64), snapshot: memory)
    defer { engine.stop() }
    let budget = engine.budget(snapshot: memory)
    #expect(budget.kernel.bytes == 0)
    #expect(budget.process.snapshotBytes == 16 * 4096 + 4096)
    #expect(budget.slotsLeft == PortTable.capacity)
  }
}

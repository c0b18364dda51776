// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

/// Packets together, against the same packets one by one.
@Suite struct SealingBatchTests {
  // MARK: Rows

  @Test(arguments: fixedSeeds)
  func everyRowIsInOneGroupWithItsMark(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let markCount = 1 + generator.number(below: 70)
      var marks: [Int: UInt32] = [:]
      var rows = PacketRows()
      for row in 0..<64 where generator.number(below: 8) > 0 {
        marks[row] = UInt32(generator.number(below: markCount))
        rows.append(row, mark: marks[row] ?? 0)
      }
      var seen: [UInt32: [Int]] = [:]
      while var group = rows.takeGroup() {
        let count = group.count
        var taken: [Int] = []
        while let row = group.next() { taken.append(row) }
        #expect(taken.count == count && 1...32 ~= count, "\(generator)")
        seen[group.mark, default: []] += taken
      }
      for (mark, taken) in seen {
        #expect(taken == marks.keys.filter { marks[$0] == mark }.sorted(), "\(generator)")
      }
      #expect(seen.values.map(\.count).reduce(0, +) == marks.count, "\(generator)")
    }
  }

  @Test func emptyBatchIsLeftAlone() {
    let keys = FrameKeys()
    var batch = SealingBatch()
    var memory: [UInt8] = [1, 2, 3]
    var span = memory.mutableSpan
    keys.seal(&batch, in: &span)
    keys.open(&batch, in: &span)
    #expect(memory == [1, 2, 3] && batch.count == 0)
  }

  @Test(arguments: PacketKind.allCases)
  func numbersOfAKeyAreInARow(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let other = try PacketEnds(kind, keys: ends.keys, session: Array(1...32))
    var play = BatchPlay()
    for row in 0..<64 {
      play.append(kind.packet([UInt8(row)]), key: row % 3 == 2 ? other.sealing : ends.sealing)
    }
    play.seal(ends.keys)
    var expected = [kind.firstNumber, kind.firstNumber]
    for row in 0..<64 {
      let packet = play.packet(row)
      let isOther = row % 3 == 2
      let found = kind.layout == .esp ? UInt64(lowHalf(of: packet)) : number(of: packet)
      #expect(found & 0xFF_FFFF == expected[isOther ? 1 : 0])
      expected[isOther ? 1 : 0] += 1
      #expect((isOther ? other : ends).open(packet).outcome == .done)
    }
    #expect(ends.keys.counts(of: ends.sealing).sealed == 43)
    #expect(ends.keys.counts(of: other.sealing).sealed == 21)
  }

  @Test(arguments: PacketKind.allCases)
  func packetThatIsSealedOrOpenedIsLeftAlone(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    var memory = kind.packet([1, 2, 3, 4])
    var batch = SealingBatch()
    batch.append(
      SealingBatch.Packet(offset: 0, length: UInt32(memory.count), key: ends.sealing))
    var span = memory.mutableSpan
    ends.keys.seal(&batch, in: &span)
    ends.keys.seal(&batch, in: &span)
    ends.keys.open(&batch, in: &span)
    #expect(batch.outcome(of: 0) == .done && ends.keys.counts(of: ends.sealing).sealed == 1)
    #expect(ends.open(memory).outcome == .done)
  }

  // MARK: Mixed batches

  @Test(arguments: fixedSeeds)
  func batchIsSealedAsOneByOne(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let together = try Mixture(), apart = try Mixture()
    for _ in 0..<30 {
      var play = BatchPlay()
      for _ in 0..<generator.number(below: 65) {
        let (kind, place) = together.sender(&generator)
        let text = generator.bytes(generator.number(below: 700))
        let packet = Array(kind.packet(text).dropLast(generator.number(below: 9) == 0 ? 20 : 0))
        play.append(packet, key: place, isFragmentable: generator.number(below: 4) == 0)
      }
      let before = play
      play.seal(together.keys)
      for row in play.rows.indices {
        let (outcome, packet) = apart.keys.seal(
          before.packet(row), key: play.rows[row].key,
          isFragmentable: play.rows[row].isFragmentable)
        #expect(play.outcomes[row] == outcome && play.packet(row) == packet, "\(generator)")
      }
    }
    together.expectSameCounts(as: apart, "\(generator)")
  }

  @Test(arguments: fixedSeeds)
  func batchIsOpenedAsOneByOne(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let together = try Mixture(), apart = try Mixture()
    var outcomes: Set<SealingBatch.Outcome> = []
    var sent: [(packet: [UInt8], key: UInt16)] = []
    for _ in 0..<60 {
      var play = BatchPlay()
      for _ in 0..<generator.number(below: 65) {
        let (packet, key) = together.arrival(&sent, &generator)
        play.append(packet, key: key, formerKey: together.opening(&generator))
      }
      let before = play
      play.open(together.keys)
      for row in play.rows.indices {
        let (outcome, packet) = apart.keys.open(
          before.packet(row), key: play.rows[row].key, formerKey: play.rows[row].formerKey)
        #expect(play.outcomes[row] == outcome && play.packet(row) == packet, "\(generator)")
        outcomes.insert(outcome)
      }
    }
    #expect(outcomes == [.done, .notAuthentic, .replayed, .malformed, .keyMissing])
    together.expectSameCounts(as: apart, "\(generator)")
  }
}

/// A table with keys of all kinds.
private struct Mixture {
  let keys = FrameKeys()
  private var ends: [PacketEnds] = []

  init() throws {
    for (index, kind) in (PacketKind.allCases + PacketKind.allCases).enumerated() {
      ends.append(
        try PacketEnds(
          kind, keys: keys, identifier: UInt32(index),
          session: [UInt8](repeating: UInt8(index), count: 32)))
    }
  }

  /// A key to seal with, mostly.
  func sender(_ generator: inout SeededGenerator) -> (PacketKind, UInt16) {
    let end = ends[generator.number(below: ends.count)]
    switch generator.number(below: 20) {
    case 0: return (end.kind, end.opening)
    case 1: return (end.kind, UInt16(100 + generator.number(below: 65_436)))
    default: return (end.kind, end.sealing)
    }
  }

  /// A key to open with, mostly.
  func opening(_ generator: inout SeededGenerator) -> UInt16 {
    generator.number(below: 4) == 0
      ? FrameKeys.none : ends[generator.number(below: ends.count)].opening
  }

  /// A packet, new or not, as it was or not.
  func arrival(
    _ sent: inout [(packet: [UInt8], key: UInt16)], _ generator: inout SeededGenerator
  ) -> (packet: [UInt8], key: UInt16) {
    let end = ends[generator.number(below: ends.count)]
    let text = generator.bytes(generator.number(below: 300))
    if let packet = end.seal(text, isFragmentable: generator.number(below: 4) == 0) {
      sent.append((packet, end.opening))
    }
    var (packet, key) = sent[max(0, sent.count - 1 - generator.number(below: 40))]
    switch generator.number(below: 10) {
    case 0: packet[generator.number(below: packet.count)] ^= 1
    case 1: packet.removeLast(1 + generator.number(below: packet.count))
    case 2: key = opening(&generator)
    default: break
    }
    return (packet, key)
  }

  func expectSameCounts(
    as other: Mixture, _ comment: Comment, _ location: SourceLocation = #_sourceLocation
  ) {
    for end in ends {
      #expect(
        keys.counts(of: end.opening) == other.keys.counts(of: end.opening), comment,
        sourceLocation: location)
      // The sender of what is opened is of one of them only.
      let sealed = [self, other].map { $0.keys.counts(of: end.sealing) }
      #expect(sealed[0] == sealed[1] || sealed[1] == KeyCounts(), comment, sourceLocation: location)
    }
  }
}

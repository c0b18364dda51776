// SPDX-License-Identifier: Apache-2.0

import Tables
import TestSupport
import Testing
import XDP

@testable import Dataplane

/// Frames in several chunks: made, written, read, copied, cut and given back.
struct FramePiecesTests {
  @Test(arguments: [
    (256, 0, 1), (256, 3839, 1), (256, 3840, 1), (256, 3841, 2), (256, 7680, 2), (256, 7681, 3),
    (206, 3890, 1), (206, 3891, 2), (306, 3790, 1), (306, 3791, 2), (256, 65_549, 18),
    (512, 65_549, 18), (0, 65_535, 17), (0, 65_537, 18),
  ])
  func piecesFollowFromStartAndLength(start: UInt32, length: UInt32, count: Int) {
    let frame = Frame(address: 5 * 4096 + start, length: length)
    #expect(frame.pieceCount == count)
    #expect(frame.isChained == (count > 1))
    #expect(frame.headLength == min(length, 4096 - start))
  }

  @Test func chainIsWalkedPieceByPieceAndGivenBackWhole() throws {
    var memory = try memory(chunks: 40)
    for length in lengthsAroundPieces {
      let frame = try present(memory.takeChain(length: length))
      #expect(memory.freeCount == 40 - frame.pieceCount)
      let pieces = pieces(of: frame, in: memory)
      #expect(pieces.count == frame.pieceCount)
      #expect(pieces.reduce(0) { $0 + Int($1.length) } == length)
      #expect(pieces.allSatisfy { $0.address % 4096 == 256 })
      #expect(pieces.dropLast().allSatisfy { $0.length == 3840 })
      #expect(Set(pieces.map { $0.address / 4096 }).count == pieces.count)
      memory.give(frame)
      #expect(memory.freeCount == 40)
    }
  }

  @Test func tooFewChunksMakeNoFrameAndTakeNone() throws {
    var memory = try memory(chunks: 17)
    let longest = memory.takeChain(length: 65_549)
    #expect(longest == nil && memory.freeCount == 17)
    let long = try present(memory.takeChain(length: 40_000))
    let copy = memory.copy(long)
    #expect(copy == nil && memory.freeCount == 17 - 11)
    let tooLong = memory.takeChain(length: 18 * 3840 + 1)
    #expect(tooLong == nil && memory.freeCount == 17 - 11)
  }

  @Test func bytesAreReadAsTheyWereWrittenAtAnyOffset() throws {
    var random = SeededGenerator(seed: 0x51)
    var memory = try memory(chunks: 20)
    for _ in 0..<25 {
      let length = 1 + random.number(below: 65_549)
      let start = random.number(below: 257)
      let frame = try present(memory.takeChain(length: length, headStart: start))
      var expected = random.bytes(length)
      memory.scatter(expected.span, into: frame, at: 0)
      let offset = random.number(below: length)
      let part = random.bytes(1 + random.number(below: length - offset))
      memory.scatter(part.span, into: frame, at: offset)
      expected.replaceSubrange(offset..<offset + part.count, with: part)
      expectEqual(bytes(of: frame, in: memory), expected)
      let headCount = memory.bytes(of: frame).count
      #expect(headCount == Int(frame.headLength))
      let from = random.number(below: length)
      var target = [UInt8](repeating: 0, count: 5000)
      var span = target.mutableSpan
      let count = memory.read(frame, from: from, into: &span)
      #expect(count == min(5000, length - from))
      #expect(target[..<count] == expected[from..<from + count])
      memory.give(frame)
    }
    #expect(memory.freeCount == 20)
  }

  @Test func partOfAFrameIsCopiedWhateverItsPieces() throws {
    var random = SeededGenerator(seed: 0x52)
    var memory = try memory(chunks: 40)
    for _ in 0..<25 {
      let length = 1 + random.number(below: 65_549)
      let frame = try present(
        memory.takeChain(length: length, headStart: random.number(below: 257)))
      let expected = random.bytes(length)
      memory.scatter(expected.span, into: frame, at: 0)
      let whole = try present(memory.copy(frame))
      expectEqual(bytes(of: whole, in: memory), expected)
      memory.give(whole)
      let offset = random.number(below: length)
      let count = random.number(below: length - offset + 1)
      let part = try present(memory.copy(frame, from: offset, length: count))
      expectEqual(bytes(of: part, in: memory), Array(expected[offset..<offset + count]))
      memory.give(part)
      memory.give(frame)
      #expect(memory.freeCount == 40)
    }
  }

  @Test func frameGrowsAndIsCutWithoutLosingAChunk() throws {
    var random = SeededGenerator(seed: 0x53)
    var memory = try memory(chunks: 30)
    for _ in 0..<20 {
      var frame = try present(memory.takeChain(length: 1 + random.number(below: 9000)))
      var expected = random.bytes(Int(frame.length))
      memory.scatter(expected.span, into: frame, at: 0)
      for _ in 0..<6 {
        let more = random.bytes(random.number(below: 12_000))
        let offset = Int(frame.length)
        guard memory.extend(&frame, by: more.count) else {
          #expect(offset + more.count > 18 * 3840)
          continue
        }
        memory.scatter(more.span, into: frame, at: offset)
        expected += more
        #expect(memory.freeCount == 30 - frame.pieceCount)
      }
      expectEqual(bytes(of: frame, in: memory), expected)
      let left = random.number(below: expected.count + 1)
      memory.truncate(&frame, to: left)
      #expect(memory.freeCount == 30 - frame.pieceCount)
      expectEqual(bytes(of: frame, in: memory), Array(expected[..<left]))
      memory.give(frame)
    }
    #expect(memory.freeCount == 30)
  }

  @Test func frameThatCannotGrowStaysAsItIs() throws {
    var memory = try memory(chunks: 3)
    var frame = try present(memory.takeChain(length: 5000))
    let before = frame
    let isExtended = memory.extend(&frame, by: 7000)
    #expect(!isExtended && frame == before && memory.freeCount == 1)
    let isLonger = memory.extend(&frame, by: 6520)
    #expect(isLonger && frame.pieceCount == 3 && memory.freeCount == 0)
  }

  @Test func onlyTheNamedByteIsFlipped() throws {
    var memory = try memory(chunks: 20)
    let frame = try present(memory.takeChain(length: 20_000))
    memory.scatter([UInt8](repeating: 0, count: 20_000).span, into: frame, at: 0)
    for place in [0, 3839, 3840, 7679, 7680, 19_999] {
      memory.flip(0x55, of: frame, at: place)
      let now = bytes(of: frame, in: memory)
      #expect(now[place] == 0x55 && now.filter { $0 != 0 }.count == 1)
      memory.flip(0x55, of: frame, at: place)
    }
  }
}

/// Lengths next to where a frame needs one more piece, and the longest.
let lengthsAroundPieces: [Int] =
  [1, 2, 3, 9, 16, 17].flatMap { count in (-2...2).map { 3840 * count + $0 } } + [65_548, 65_549]

private func memory(chunks: Int) throws -> FrameMemory {
  FrameMemory(memory: try MappedMemory(length: chunks * 4096, name: "weft-test"))
}

private func pieces(of frame: Frame, in memory: borrowing FrameMemory) -> [FramePiece] {
  var piece = memory.firstPiece(of: frame)
  var all = [piece]
  while memory.advance(&piece) { all.append(piece) }
  return all
}

private func bytes(of frame: Frame, in memory: borrowing FrameMemory) -> [UInt8] {
  var all = [UInt8](repeating: 0, count: Int(frame.length))
  var span = all.mutableSpan
  let count = memory.read(frame, from: 0, into: &span)
  #expect(count == Int(frame.length))
  return all
}

private func present(_ frame: Frame?) throws -> Frame {
  try #require(frame, "there are chunks")
}

private func expectEqual(_ found: [UInt8], _ expected: [UInt8]) {
  #expect(found == expected)
}

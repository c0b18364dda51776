// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

/// The half of ESP's numbers that is not sent.
@Suite struct ExtendedNumberTests {
  private static let border: UInt64 = 1 << 32

  // MARK: Without packets

  /// How far behind the newest a number is found.
  private static let reach: UInt64 = (1 << 30) - 1

  /// Newest numbers around every place where the derivation takes another way.
  private static let newest: [UInt64] = [0, 1, 5, 7].flatMap { high in
    [0, 1, 2, reach - 1, reach, reach + 1, 1 << 31, border - reach, border - 2, border - 1]
      .map { high * border + $0 }
  }

  @Test(arguments: newest)
  func numbersNearTheNewestAreFound(newest: UInt64) {
    let distances = [0, 1, 2, 100, 16_384, Self.reach - 1, Self.reach]
    for number in distances.map({ newest - min(newest, $0) }) {
      let low = UInt32(truncatingIfNeeded: number)
      #expect(ExtendedNumber.full(low: low, newest: newest) == number, "\(number)")
    }
    for distance in distances + [1 << 31, Self.border - Self.reach - 1] {
      let number = newest + distance
      let low = UInt32(truncatingIfNeeded: number)
      #expect(ExtendedNumber.full(low: low, newest: newest) == number, "\(number)")
    }
  }

  @Test(arguments: fixedSeeds)
  func everyLowHalfLeadsToANumberThatHasIt(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<10_000 {
      let newest = generator.next() >> UInt64(2 + generator.number(below: 62))
      let low = UInt32(truncatingIfNeeded: generator.next())
      let number = ExtendedNumber.full(low: low, newest: newest)
      #expect(UInt32(truncatingIfNeeded: number) == low, "\(newest) \(generator)")
      let isNear = number + Self.reach >= newest && number < newest + Self.border
      // Below the first border nothing is before it.
      #expect(isNear || number < 2 * Self.border && newest < Self.border, "\(newest) \(generator)")
    }
  }

  // MARK: With packets

  @Test(arguments: PacketKind.esp)
  func packetsGoOverTheBorder(kind: PacketKind) throws {
    let ends = try PacketEnds(kind, firstNumbers: .init(unfragmentable: Self.border - 100))
    for index in 0..<200 {
      let packet = try #require(ends.seal([UInt8(index)]))
      #expect(lowHalf(of: packet) == UInt32(truncatingIfNeeded: Self.border - 100 + UInt64(index)))
      #expect(ends.open(packet).outcome == .done, "\(index)")
      #expect(ends.open(packet).outcome == .replayed, "\(index)")
    }
    #expect(ends.keys.counts(of: ends.opening).newestNumber == Self.border + 99)
    #expect(ends.keys.counts(of: ends.sealing).newestNumber == Self.border + 99)
  }

  @Test(arguments: PacketKind.esp)
  func latePacketsComeBackOverTheBorder(kind: PacketKind) throws {
    let first = 3 * Self.border - 8000
    let ends = try PacketEnds(kind, firstNumbers: .init(unfragmentable: first))
    // The receiver has to be near it, as it would be after all that came before.
    for number in stride(from: Self.border / 2, to: first, by: Int(Self.border / 2)) {
      #expect(try ends.open(ends.seal([0], number: number)).outcome == .done)
    }
    let packets = try (0..<16_000).map { try #require(ends.seal(bigEndian(UInt16($0)))) }
    for packet in packets where lowHalf(of: packet) % 2 == 0 {
      #expect(ends.open(packet).outcome == .done)
    }
    for packet in packets.reversed() where lowHalf(of: packet) % 2 != 0 {
      #expect(ends.open(packet).outcome == .done)
    }
    for packet in packets { #expect(ends.open(packet).outcome == .replayed) }
  }

  @Test(arguments: PacketKind.esp)
  func packetOfAnotherHalfIsNotAuthentic(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let packet = try ends.seal([1, 2, 3], number: Self.border + 7)
    // Nothing has come: the number is taken for 7.
    #expect(ends.open(packet).outcome == .notAuthentic)
    #expect(try ends.open(ends.seal([1], number: Self.border - 7)).outcome == .done)
    #expect(ends.open(packet).outcome == .done)
    // The half that is not sent is part of what is authenticated.
    #expect(try ends.open(ends.seal([1], number: 3 * Self.border + 9)).outcome == .notAuthentic)
    #expect(try ends.open(ends.seal([1], number: 9)).outcome == .notAuthentic)
  }

  @Test(arguments: PacketKind.esp)
  func numberZeroIsNone(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    #expect(try ends.open(ends.seal([1], number: 0)).outcome == .replayed)
    #expect(try ends.open(#require(ends.seal([1]))).outcome == .done)
  }

  /// RFC 4106 leaves the IV to the sender, as long as it has each once.
  @Test(arguments: PacketKind.esp, fixedSeeds)
  func anyVectorOfTheSenderIsTaken(kind: PacketKind, seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let ends = try PacketEnds(kind)
    for number in UInt64(1)..<20 {
      let (text, vector) = (generator.bytes(100), generator.bytes(8))
      let cipher = RawCipher(
        suite: kind.suite, key: ends.key.secret.disclosed(),
        nonce: ends.key.salt.disclosed() + vector,
        associated: bigEndian(ends.key.identifier) + bigEndian(number))
      let (sealed, tag) = cipher.seal(text)
      let packet =
        bigEndian(ends.key.identifier) + bigEndian(number)[4...] + vector + sealed + tag
      let (outcome, opened) = ends.open(packet)
      #expect(outcome == .done && kind.text(of: opened) == text, "\(generator)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

/// What may be wrong with a packet, for each suite and layout.
@Suite struct PacketEdgeTests {
  // MARK: Changed on the way

  /// Bits whose change leads to another key, or to none.
  private func areOfIdentifier(_ bit: Int, _ kind: PacketKind) -> Bool {
    switch kind {
    case .secretbox: false
    // Bits 56 to 62 of the number.
    case .aesSleeve, .chachaSleeve: bit / 8 == 6 && bit % 8 != 7
    case .aesESP, .chachaESP: bit < 32
    }
  }

  @Test(arguments: PacketKind.allCases, [0, 1, 16, 100])
  func everyChangedBitIsFound(kind: PacketKind, length: Int) throws {
    let ends = try PacketEnds(kind)
    let text = [UInt8](repeating: 0x5A, count: length)
    let packet = try #require(ends.seal(text))
    var changedCount: UInt64 = 0
    for bit in 0..<packet.count * 8 {
      // Secretbox does not authenticate the name.
      if kind == .secretbox, bit < 48 { continue }
      var changed = packet
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      let expected: SealingBatch.Outcome =
        areOfIdentifier(bit, kind) ? .keyMissing : .notAuthentic
      #expect(ends.open(changed).outcome == expected, "bit \(bit)")
      changedCount += expected == .notAuthentic ? 1 : 0
    }
    // None of these has moved the window.
    let (outcome, opened) = ends.open(packet)
    #expect(outcome == .done && kind.text(of: opened) == text)
    let counts = ends.keys.counts(of: ends.opening)
    #expect(counts.notAuthentic == changedCount && counts.opened == 1 && counts.replayed == 0)
  }

  @Test func nameIsNotAuthenticatedBySecretboxAsInWeaveNet() throws {
    let ends = try PacketEnds(.secretbox)
    var packet = try #require(ends.seal([1, 2, 3]))
    packet.replaceSubrange(0..<6, with: [9, 9, 9, 9, 9, 9])
    #expect(ends.open(packet).outcome == .done)
  }

  @Test(arguments: PacketKind.allCases, [0, 1, 40, 223, 224, 225, 480, 481, 1400])
  func shortenedPacketsAreRefusedAtEveryLength(kind: PacketKind, length: Int) throws {
    let ends = try PacketEnds(kind)
    let packet = try #require(ends.seal([UInt8](repeating: 5, count: length)))
    for count in 0..<packet.count {
      let expected: SealingBatch.Outcome = count < kind.overhead ? .malformed : .notAuthentic
      #expect(ends.open(Array(packet[..<count])).outcome == expected, "\(count) bytes")
    }
    #expect(ends.open(packet + [0]).outcome == .notAuthentic)
    #expect(ends.open(packet).outcome == .done)
  }

  @Test(arguments: PacketKind.allCases, [0, 1, 60_000])
  func emptyAndLongTextsAreCarried(kind: PacketKind, length: Int) throws {
    var generator = SeededGenerator(seed: UInt64(length))
    let ends = try PacketEnds(kind)
    let text = generator.bytes(length)
    let packet = try #require(ends.seal(text))
    #expect(length < 60_000 || kind.text(of: packet) != text)
    let (outcome, opened) = ends.open(packet)
    #expect(outcome == .done && kind.text(of: opened) == text)
  }

  // MARK: Sent again

  @Test(arguments: PacketKind.allCases)
  func packetIsOpenedOnce(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let packets = try (0..<100).map { try #require(ends.seal([UInt8($0)])) }
    for packet in packets.shuffled() {
      #expect(ends.open(packet).outcome == .done && ends.open(packet).outcome == .replayed)
    }
    for packet in packets { #expect(ends.open(packet).outcome == .replayed) }
    var changed = packets[0]
    changed[kind.layout == .esp ? 16 : 30] ^= 1
    #expect(ends.open(changed).outcome == .notAuthentic)
  }

  @Test(arguments: PacketKind.allCases)
  func otherTextWithAnUsedNumberIsReplayed(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let number = kind.firstNumber + 3
    #expect(ends.open(try ends.seal([1, 2], number: number)).outcome == .done)
    #expect(ends.open(try ends.seal([3, 4], number: number)).outcome == .replayed)
  }

  // MARK: Another key

  @Test(arguments: PacketKind.allCases)
  func otherKeysDoNotOpen(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let packet = try #require(ends.seal([1, 2, 3]))
    let other = try PacketEnds(kind, keys: ends.keys, session: [1] + Array(1..<32))
    #expect(other.open(packet).outcome == .notAuthentic)
    #expect(other.keys.counts(of: other.opening).notAuthentic == 1)
    if kind != .secretbox {
      let nonce = try PacketEnds(kind, keys: ends.keys, nonce: 0x41)
      #expect(nonce.open(packet).outcome == .notAuthentic)
      let identifier = try PacketEnds(kind, keys: ends.keys, identifier: 6)
      #expect(identifier.open(packet).outcome == .keyMissing)
      #expect(identifier.keys.counts(of: identifier.opening) == KeyCounts())
    }
    #expect(ends.open(packet).outcome == .done)
  }

  @Test func directionsOfSecretboxHaveKeysOfTheirOwn() throws {
    let ends = try PacketEnds(.secretbox)
    let packet = try #require(ends.seal([1, 2, 3]))
    let back = FrameKey(secretbox: try sessionKey(), isSenderOutbound: false, isSealing: false)
    let place = try #require(ends.keys.add(back))
    #expect(ends.keys.open(packet, key: place).outcome == .notAuthentic)
  }

  @Test(arguments: PacketKind.allCases)
  func keyOfOneDirectionIsOfNoUseInTheOther(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let packet = try #require(ends.seal([1, 2, 3]))
    let (opening, kept) = ends.keys.open(packet, key: ends.sealing)
    #expect(opening == .keyMissing && kept == packet)
    let plain = kind.packet([1, 2, 3])
    let (sealing, after) = ends.keys.seal(plain, key: ends.opening)
    #expect(sealing == .keyMissing && after == plain)
    #expect(ends.keys.counts(of: ends.opening) == KeyCounts())
  }

  @Test(arguments: PacketKind.allCases, PacketKind.allCases)
  func packetsOfOtherKindsDoNotOpen(kind: PacketKind, other: PacketKind) throws {
    guard kind != other else { return }
    // Where the other layout has its identifier, this one has the same.
    let identifier: UInt32 = 5
    let ends = try PacketEnds(kind, identifier: identifier)
    let others = try PacketEnds(other, keys: ends.keys, identifier: identifier)
    for length in [0, 2, 100] {
      let packet = try #require(others.seal([UInt8](repeating: 7, count: length)))
      let outcome = ends.open(packet).outcome
      #expect([.notAuthentic, .keyMissing, .malformed].contains(outcome), "\(outcome)")
      #expect(others.open(packet).outcome == .done)
    }
    #expect(ends.keys.counts(of: ends.opening).opened == 0)
  }
}

// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

@Suite struct FrameKeysTests {
  // MARK: Numbers

  @Test(arguments: PacketKind.sleeve)
  func kindsOfDatagramsAreNumberedByThemselves(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let identifier: UInt64 = kind == .secretbox ? 0 : 5 << 56
    for expected in UInt64(0)..<40 {
      let datagram = try #require(ends.seal([1]))
      #expect(number(of: datagram) == expected | identifier | unfragmentable)
      let fragmentable = try #require(ends.seal([1], isFragmentable: true))
      #expect(number(of: fragmentable) == expected | identifier)
      #expect(ends.open(fragmentable).outcome == .done)
    }
  }

  @Test(arguments: PacketKind.esp)
  func packetsOfESPAreNumberedFromOneOn(kind: PacketKind) throws {
    let ends = try PacketEnds(kind, identifier: 0xDEAD_BEEF)
    for expected in UInt64(1)..<40 {
      let packet = try #require(ends.seal([1], isFragmentable: expected % 2 == 0))
      let vector = bigEndian(expected)
      #expect(Array(packet[..<16]) == bytes("deadbeef") + Array(vector[4...]) + vector)
      #expect(ends.open(packet).outcome == .done)
    }
  }

  @Test func processorWithoutAESLacksOnlyItsKeys() throws {
    let keys = FrameKeys(hasAES: false)
    let session = try sessionKey()
    for kind in PacketKind.allCases where kind.suite == .aes256gcm {
      #expect(keys.add(kind.key(isSealing: true, session: session)) == nil)
    }
    for kind in PacketKind.allCases where kind.suite != .aes256gcm {
      let ends = try PacketEnds(kind, keys: keys)
      let packet = try #require(ends.seal([1, 2, 3]))
      #expect(ends.open(packet).outcome == .done)
    }
  }

  @Test(arguments: PacketKind.allCases)
  func nothingIsSealedWhenTheNumbersAreUsedUp(kind: PacketKind) throws {
    let last = kind.numberLimit - 1
    let ends = try PacketEnds(
      kind, firstNumbers: .init(unfragmentable: last, fragmentable: last - 1))
    let packet = try #require(ends.seal([1, 2]))
    if kind.layout == .sleeve {
      #expect(number(of: packet) & (1 << 56 - 1) == last & (1 << 56 - 1))
      #expect(ends.open(packet).outcome == .done)
    }
    let plain = kind.packet([1, 2])
    for _ in 0..<100 {
      let (outcome, after) = ends.keys.seal(plain, key: ends.sealing)
      #expect(outcome == .exhausted && after == plain)
    }
    let counts = ends.keys.counts(of: ends.sealing)
    #expect(counts.sealed == 1 && counts.newestNumber == last)
    guard kind.layout == .sleeve else { return }
    #expect(ends.seal([1, 2], isFragmentable: true) != nil)
    #expect(ends.seal([1, 2], isFragmentable: true) != nil)
    #expect(ends.seal([1, 2], isFragmentable: true) == nil)
  }

  @Test(arguments: PacketKind.allCases)
  func lastNumbersAreForTheFirstOfABatch(kind: PacketKind) throws {
    let first = FrameKeys.FirstNumbers(unfragmentable: kind.numberLimit - 3)
    let ends = try PacketEnds(kind, firstNumbers: first)
    var play = BatchPlay()
    for index in 0..<50 {
      play.append(kind.packet([UInt8(index)]), key: ends.sealing)
    }
    play.seal(ends.keys)
    #expect(play.outcomes[..<3].allSatisfy { $0 == .done })
    #expect(play.outcomes[3...].allSatisfy { $0 == .exhausted })
    #expect(ends.keys.counts(of: ends.sealing).sealed == 3)
  }

  @Test(arguments: [(1 << 62) - (1 << 14), 1 << 62, UInt64.max >> 1] as [UInt64])
  func authenticNumbersBeyondTheLimitAreRefused(number: UInt64) throws {
    let ends = try PacketEnds(.secretbox)
    for bits in [number, number | unfragmentable] {
      let datagram = try ends.reference([1, 2, 3], number: bits)
      let (outcome, after) = ends.open(datagram)
      #expect(outcome == .replayed && after == datagram)
    }
    #expect(try ends.open(#require(ends.seal([1]))).outcome == .done)
  }

  @Test(arguments: PacketKind.sleeve)
  func numbersMayJumpAheadByAnyDistance(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    for number in [5, 20_000, 1 << 32, 1 << 54, kind.numberLimit - 1] as [UInt64] {
      let datagram = try ends.seal([1], number: number)
      #expect(ends.open(datagram).outcome == .done)
      #expect(ends.keys.counts(of: ends.opening).newestNumber == number)
      #expect(ends.open(datagram).outcome == .replayed)
    }
  }

  // MARK: What is no packet, and no key

  @Test(arguments: PacketKind.allCases)
  func tooShortPacketsAreNotSealed(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    for count in 0..<kind.overhead {
      let plain = [UInt8](repeating: 1, count: count)
      let (outcome, after) = ends.keys.seal(plain, key: ends.sealing)
      #expect(outcome == .malformed && after == plain)
    }
    #expect(ends.keys.counts(of: ends.sealing) == KeyCounts())
    #expect(try ends.open(#require(ends.seal([]))).outcome == .done)
  }

  @Test(arguments: PacketKind.allCases)
  func packetsBeyondTheMemoryAreMalformed(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let rows: [(UInt32, UInt32)] = [
      (0, 101), (1, 100), (100, 40), (101, 40), (UInt32.max, UInt32.max), (0, UInt32.max),
      (UInt32.max, 40), (100, 0), (100, 1),
    ]
    for (offset, length) in rows {
      for place in [ends.sealing, ends.opening] {
        var memory = [UInt8](repeating: 3, count: 100)
        var batch = SealingBatch()
        batch.append(SealingBatch.Packet(offset: offset, length: length, key: place))
        var span = memory.mutableSpan
        if place == ends.sealing {
          ends.keys.seal(&batch, in: &span)
        } else {
          ends.keys.open(&batch, in: &span)
        }
        #expect(batch.outcome(of: 0) == .malformed, "\(offset) \(length)")
        #expect(memory == [UInt8](repeating: 3, count: 100))
      }
    }
  }

  @Test func noMemoryHasNoPackets() throws {
    let ends = try PacketEnds(.secretbox)
    #expect(ends.keys.seal([], key: ends.sealing).outcome == .malformed)
    #expect(ends.keys.open([], key: ends.opening).outcome == .malformed)
    #expect(ends.keys.open([], key: FrameKeys.none).outcome == .keyMissing)
  }

  @Test(arguments: PacketKind.allCases, [2, 4095, 4096, 65_534, 65_535] as [UInt16])
  func keysThatAreNoneSealAndOpenNothing(kind: PacketKind, place: UInt16) throws {
    let ends = try PacketEnds(kind)
    let packet = try #require(ends.seal([1]))
    #expect(ends.keys.seal(kind.packet([1]), key: place).outcome == .keyMissing)
    let (outcome, after) = ends.keys.open(packet, key: place, formerKey: place)
    #expect(outcome == .keyMissing && after == packet)
    ends.keys.remove(place)
    #expect(ends.keys.counts(of: place) == KeyCounts())
    #expect(ends.open(packet).outcome == .done)
  }

  // MARK: Life

  @Test func tableHasRoomForItsCapacityAndSlotsAreUsedAgain() throws {
    let keys = FrameKeys()
    let session = try sessionKey()
    let key = PacketKind.aesESP.key(isSealing: true, session: session)
    let all = (0..<FrameKeys.capacity).compactMap { _ in keys.add(key) }
    #expect(Set(all).count == FrameKeys.capacity)
    #expect(keys.add(key) == nil)
    keys.remove(1234)
    keys.remove(1234)
    #expect(keys.add(key) == 1234)
    #expect(keys.add(key) == nil)
    let last = UInt16(FrameKeys.capacity - 1)
    #expect(keys.seal(PacketKind.aesESP.packet([1]), key: last).outcome == .done)
  }

  @Test(arguments: PacketKind.allCases)
  func slotBeginsAnewAfterItsEnd(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let packet = try #require(ends.seal([1]))
    #expect(ends.open(packet).outcome == .done && ends.open(packet).outcome == .replayed)
    ends.keys.remove(ends.opening)
    ends.keys.remove(ends.sealing)
    #expect(ends.seal([1]) == nil && ends.open(packet).outcome == .keyMissing)
    #expect(ends.keys.counts(of: ends.opening) == KeyCounts())
    let again = try PacketEnds(kind, keys: ends.keys)
    #expect([again.sealing, again.opening] == [ends.sealing, ends.opening])
    #expect(again.seal([1]) == packet && again.open(packet).outcome == .done)
    #expect(again.keys.counts(of: again.opening).opened == 1)
  }

  @Test func slotMayBeUsedAgainForAnotherKind() throws {
    let keys = FrameKeys()
    for kind in PacketKind.allCases + PacketKind.allCases.reversed() {
      let ends = try PacketEnds(kind, keys: keys)
      let packet = try #require(ends.seal([1, 2, 3]))
      #expect(ends.open(packet).outcome == .done)
      keys.remove(ends.sealing)
      keys.remove(ends.opening)
    }
    #expect(keys.slot(at: 2)?.hasSecrets == false)
  }

  // MARK: Secrets

  @Test(arguments: PacketKind.allCases)
  func keysAreZeroAfterTheEnd(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let slots = try [ends.sealing, ends.opening].map { try #require(ends.keys.slot(at: $0)) }
    #expect(slots[0].hasSecrets && slots[1].hasSecrets)
    ends.keys.remove(ends.sealing)
    #expect(!slots[0].hasSecrets && slots[1].hasSecrets)
    ends.keys.remove(ends.opening)
    #expect(!slots[1].hasSecrets)
  }

  @Test func nothingIsShown() throws {
    let ends = try PacketEnds(.aesSleeve)
    for value in [ends.keys, ends.key] as [any CustomReflectable] {
      var text = "\(value) \(String(reflecting: value)) "
      dump(value, to: &text)
      #expect(value.customMirror.children.isEmpty)
      for word in ["memory", "places", "table", "secret", "salt"] {
        #expect(!text.contains(word), "\(text)")
      }
    }
  }

  @Test func keyTakesLittleMemory() {
    #expect(KeySlot.recordLength + KeySlot.windowsLength <= 32 << 10)
    #expect(KeySlot.recordLength % 64 == 0 && KeyTable.recordsLength % 4096 == 0)
  }
}

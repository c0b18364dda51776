// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

/// One key after another on one link.
@Suite struct RekeyingTests {
  private static let kinds = PacketKind.allCases.filter { $0 != .secretbox }

  @Test(arguments: kinds)
  func packetsAreOpenedByTheKeyTheyName(kind: PacketKind) throws {
    let keys = FrameKeys()
    let former = try PacketEnds(kind, keys: keys, identifier: 5, nonce: 1)
    let current = try PacketEnds(kind, keys: keys, identifier: 6, nonce: 2)
    for _ in 0..<50 {
      for (sender, receiver) in [(former, former), (current, current)] {
        let packet = try #require(sender.seal([1, 2, 3]))
        let (outcome, opened) = keys.open(
          packet, key: current.opening, formerKey: former.opening)
        #expect(outcome == .done && kind.text(of: opened) == [1, 2, 3])
        #expect(
          keys.open(packet, key: current.opening, formerKey: former.opening).outcome == .replayed)
        #expect(receiver.open(packet).outcome == .replayed)
      }
    }
    for ends in [former, current] {
      let counts = keys.counts(of: ends.opening)
      #expect(counts.opened == 50 && counts.replayed == 100 && counts.notAuthentic == 0)
    }
  }

  @Test(arguments: kinds)
  func formerKeyThatIsGoneOpensNothing(kind: PacketKind) throws {
    let keys = FrameKeys()
    let former = try PacketEnds(kind, keys: keys, identifier: 5, nonce: 1)
    let current = try PacketEnds(kind, keys: keys, identifier: 6, nonce: 2)
    let packet = try #require(former.seal([1, 2, 3]))
    #expect(keys.open(packet, key: current.opening).outcome == .keyMissing)
    keys.remove(former.opening)
    let (outcome, kept) = keys.open(packet, key: current.opening, formerKey: former.opening)
    #expect(outcome == .keyMissing && kept == packet)
  }

  @Test(arguments: kinds)
  func changedIdentifierLeadsToTheOtherKeyAndIsFound(kind: PacketKind) throws {
    let keys = FrameKeys()
    let former = try PacketEnds(kind, keys: keys, identifier: 5, nonce: 1)
    let current = try PacketEnds(kind, keys: keys, identifier: 4, nonce: 2)
    var packet = try #require(former.seal([1, 2, 3]))
    packet[kind.layout == .esp ? 3 : 6] ^= 1
    let outcome = keys.open(packet, key: current.opening, formerKey: former.opening).outcome
    #expect(outcome == .notAuthentic)
    #expect(keys.counts(of: current.opening).notAuthentic == 1)
    #expect(keys.counts(of: former.opening) == KeyCounts())
  }

  /// A connection begins with secretbox, and goes on with the suite that both ends have.
  @Test(arguments: [PacketKind.aesSleeve, .chachaSleeve])
  func suiteFollowsSecretbox(kind: PacketKind) throws {
    let keys = FrameKeys()
    let former = try PacketEnds(.secretbox, keys: keys)
    let current = try PacketEnds(kind, keys: keys)
    for _ in 0..<20 {
      for sender in [former, current] {
        for isFragmentable in [false, true] {
          let packet = try #require(sender.seal([1, 2], isFragmentable: isFragmentable))
          let (outcome, opened) = keys.open(
            packet, key: current.opening, formerKey: former.opening)
          #expect(outcome == .done && opened[30...] == [1, 2])
          let again = keys.open(packet, key: former.opening, formerKey: current.opening)
          #expect(again.outcome == .replayed)
        }
      }
    }
    let packet = try #require(former.seal([1, 2]))
    #expect(keys.open(packet, key: current.opening).outcome == .keyMissing)
  }

  @Test func keysOfOtherLayoutsAreNotMixedUp() throws {
    let keys = FrameKeys()
    // The name that a datagram begins with is the SPI here.
    let esp = try PacketEnds(.aesESP, keys: keys, identifier: 0x0200_0000)
    let sleeve = try PacketEnds(.aesSleeve, keys: keys, identifier: 3)
    let packet = try #require(sleeve.seal([1, 2, 3, 4]))
    #expect(keys.open(packet, key: sleeve.opening, formerKey: esp.opening).outcome == .done)
    #expect(
      keys.open(packet, key: esp.opening, formerKey: sleeve.opening).outcome == .notAuthentic)
  }

  @Test func identifierOfADatagramHasSevenBits() throws {
    let keys = FrameKeys()
    for identifier in [0, 1, 127] as [UInt32] {
      let ends = try PacketEnds(.chachaSleeve, keys: keys, identifier: identifier)
      let packet = try #require(ends.seal([1], isFragmentable: true))
      #expect(number(of: packet) == UInt64(identifier) << 56)
      #expect(ends.open(packet).outcome == .done)
    }
    let ends = try PacketEnds(.chachaSleeve, keys: keys, identifier: 0xFFFF_FF85)
    let packet = try #require(ends.seal([1]))
    #expect(number(of: packet) == 5 << 56 | unfragmentable && ends.open(packet).outcome == .done)
  }

  /// The session's key is that of both ends; the nonce is what makes each direction's another.
  @Test(arguments: kinds)
  func packetOfTheOtherDirectionDoesNotOpen(kind: PacketKind) throws {
    let keys = FrameKeys()
    let there = try PacketEnds(kind, keys: keys, nonce: 1)
    let back = try PacketEnds(kind, keys: keys, nonce: 2)
    let packet = try #require(there.seal([1, 2, 3]))
    #expect(back.open(packet).outcome == .notAuthentic)
    #expect(there.open(packet).outcome == .done)
  }
}

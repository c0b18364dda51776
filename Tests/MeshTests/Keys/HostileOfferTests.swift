// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
@testable import Sealing
import TestSupport
import Testing

/// Offers and confirmations that make no sense.
@Suite struct HostileOfferTests {
  private func exchange(_ layout: FrameKey.Layout) throws -> KeyExchange {
    KeyExchange(
      .aes256gcm, layout: layout, terms: try sealingTerms(), base: try #require(testKey),
      own: dialler, remote: dialled)
  }

  private func offer(_ byte: UInt8, _ identifier: UInt32 = 0x1_0000) -> [UInt8] {
    KeyOffer(nonce: [UInt8](repeating: byte, count: 32), identifier: identifier, generation: 0)
      .bytes
  }

  @Test func offerOfAnotherLengthIsRefused() throws {
    var exchange = try exchange(.esp)
    let whole = offer(1) + offer(2)
    for length in 0...whole.count where length != 64 {
      #expect(exchange.receiveOffer(whole.prefix(length), now: moment(.zero)) == nil)
    }
    #expect(!exchange.canSend)
    #expect(exchange.receiveOffer(whole.prefix(64), now: moment(.zero)) != nil)
  }

  @Test func offerIsReadAsItIsWritten() throws {
    for seed in fixedSeeds {
      var generator = SeededGenerator(seed: seed)
      let offer = KeyOffer(
        nonce: generator.bytes(32), identifier: UInt32(truncatingIfNeeded: generator.next()),
        generation: UInt8(truncatingIfNeeded: generator.next()))
      #expect(KeyOffer(offer.bytes[...]) == offer, "\(generator)")
      let other = generator.bytes(64)
      #expect(KeyOffer(other[...])?.bytes.prefix(37) == other.prefix(37), "\(generator)")
    }
  }

  @Test func identifiersThatPacketsCannotHaveAreRefused() throws {
    let cases: [(FrameKey.Layout, [UInt32], [UInt32])] = [
      (.esp, [0, 1, 255], [256, 0xFFFF_FFFF]), (.sleeve, [128, 256, 0xFFFF_FFFF], [0, 127]),
    ]
    for (layout, bad, good) in cases {
      var exchange = try exchange(layout)
      for identifier in bad {
        #expect(exchange.receiveOffer(offer(1, identifier)[...], now: moment(.zero)) == nil)
      }
      #expect(!exchange.canSend)
      for (byte, identifier) in good.enumerated() {
        let offer = offer(UInt8(byte), identifier)
        #expect(exchange.receiveOffer(offer[...], now: moment(.zero)) != nil)
        #expect(exchange.security.sealing?.identifier == identifier)
      }
    }
  }

  /// The same key once more would count from the beginning: numbers would be given out twice.
  @Test func offerThatWasTakenIsNotTakenAgain() throws {
    var exchange = try exchange(.esp)
    #expect(exchange.receiveOffer(offer(1)[...], now: moment(.zero)) != nil)
    let first = exchange.security
    #expect(exchange.receiveOffer(offer(1)[...], now: moment(.seconds(1))) == nil)
    #expect(exchange.receiveOffer(offer(1, 0x2_0000)[...], now: moment(.seconds(1))) == nil)
    #expect(exchange.security == first)
    #expect(exchange.receiveOffer(offer(2)[...], now: moment(.seconds(2))) != nil)
    #expect(exchange.receiveOffer(offer(1)[...], now: moment(.seconds(3))) == nil)
  }

  /// What we offered, sent back, gives another key: who receives is part of it.
  @Test func ourOwnOfferLeadsToAnotherKey() throws {
    for layout in [FrameKey.Layout.esp, .sleeve] {
      var exchange = try exchange(layout)
      guard case .offer(let bytes) = exchange.begin(now: moment(.zero)).first else {
        Issue.record("no offer")
        return
      }
      #expect(exchange.receiveOffer(bytes[...], now: moment(.zero)) != nil)
      let sealing = try #require(exchange.security.sealing)
      let opening = try #require(exchange.security.openings.first)
      #expect(!sealing.isSame(as: opening))
    }
  }

  @Test func onlySoManyOffersAreTaken() throws {
    var exchange = try exchange(.sleeve)
    var takenCount = 0
    for number in 0..<1000 {
      let nonce = [UInt8](repeating: 0, count: 24) + UInt64(number).bigEndianBytes
      let offer = KeyOffer(nonce: nonce, identifier: UInt32(number & 0x7F), generation: 0)
      let now = moment(.milliseconds(number))
      if exchange.receiveOffer(offer.bytes[...], now: now) != nil { takenCount += 1 }
    }
    #expect(takenCount == 8 + 2)
  }

  @Test func confirmationsThatConfirmNothingAreRefused() throws {
    var exchange = try exchange(.esp)
    #expect(exchange.receiveConfirmation([0, 0, 0, 0], now: moment(.zero)) == nil)
    guard case .offer(let bytes) = exchange.begin(now: moment(.zero)).first else {
      Issue.record("no offer")
      return
    }
    let identifier = Array(bytes[32..<36])
    var wrong = identifier
    wrong[3] ^= 1
    for data in [[], Array(identifier.prefix(3)), identifier + [0], wrong] {
      #expect(exchange.receiveConfirmation(data[...], now: moment(.zero)) == nil)
    }
    #expect(exchange.receiveConfirmation(identifier[...], now: moment(.zero)) == [])
    #expect(exchange.receiveConfirmation(identifier[...], now: moment(.zero)) == nil)
    #expect(exchange.security.openings.count == 1)
  }

  @Test func garbageNeverTrapsAndHoldsNothing() throws {
    for seed in fixedSeeds {
      var generator = SeededGenerator(seed: seed)
      var exchange = try exchange(generator.number(below: 2) == 0 ? .esp : .sleeve)
      var now = Duration.zero
      for _ in 0..<500 {
        now += .milliseconds(generator.number(below: 100))
        let bytes = generator.bytes(
          generator.number(below: 4) == 0 ? 64 : generator.number(below: 80))
        switch generator.number(below: 5) {
        case 0: _ = exchange.begin(now: moment(now))
        case 1: _ = exchange.receiveConfirmation(bytes[...], now: moment(now))
        case 2: _ = exchange.renew(now: moment(now))
        case 3: _ = exchange.advance(now: moment(now))
        default: _ = exchange.receiveOffer(bytes[...], now: moment(now))
        }
        #expect(exchange.security.openings.count <= 2, "\(generator)")
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
@testable import Sealing
import TestSupport
import Testing

/// Two ends that choose keys.
@Suite struct KeyExchangeTests {
  private func pair(
    _ layout: FrameKey.Layout, rekeyInterval: Duration = .seconds(3600)
  ) throws -> ExchangePair {
    let base = try #require(testKey)
    var pair = try ExchangePair(
      .aes256gcm, layout, rekeyInterval: rekeyInterval, bases: [base, base])
    for end in [0, 1] { pair.at(end) { $0.begin(now: moment(.zero)) } }
    return pair
  }

  /// Wire notes, section 14.6.
  @Test func keysAreThoseOfWeave() throws {
    let terms = try sealingTerms(suites: nil)
    var exchange = KeyExchange(
      .aes256gcm, layout: .esp, terms: terms, base: try #require(testKey), own: dialler,
      remote: dialled)
    let offer = KeyOffer(nonce: Array(0x40...0x5F), identifier: 0x1234_5678, generation: 0)
    #expect(exchange.receiveOffer(offer.bytes[...], now: moment(.zero)) == [])
    let key = try #require(exchange.security.sealing)
    let expected: [UInt8] = [
      0xD3, 0xDB, 0xDC, 0xB8, 0x14, 0x58, 0xEF, 0x5F, 0x4D, 0xDF, 0x90, 0xDA, 0x41, 0x21, 0xE8,
      0xF2, 0x98, 0xF0, 0x31, 0x3B, 0x09, 0x52, 0x34, 0x29, 0x88, 0xD5, 0x75, 0x0E, 0x3E, 0x67,
      0xDD, 0xAB,
    ]
    #expect(key.secret == SecretBytes(expected))
    #expect(key.salt == SecretBytes([0xD4, 0x9E, 0x8E, 0x08]))
    #expect(key.identifier == 0x1234_5678 && key.isSealing && key.layout == .esp)
  }

  @Test(arguments: [FrameKey.Layout.esp, .sleeve])
  func eachEndOpensWhatTheOtherSeals(layout: FrameKey.Layout) throws {
    var pair = try pair(layout)
    #expect(pair.ends.allSatisfy { !$0.canSend && $0.security.openings.count == 1 })
    pair.settle(now: moment(.seconds(1)))
    #expect(pair.areNewestUsed && pair.refusedCount == 0)
    let keys = pair.ends.compactMap(\.security.sealing)
    #expect(keys.count == 2 && !keys[0].isSame(as: keys[1]))
    #expect(pair.ends.allSatisfy { $0.security.renewedAt == moment(.seconds(1)) })
    #expect(pair.ends.allSatisfy { $0.nextDeadline == moment(.seconds(3600)) })
  }

  @Test(arguments: [FrameKey.Layout.esp, .sleeve])
  func formerKeyOpensForTenSecondsAfterTheNewOneIsUsed(layout: FrameKey.Layout) throws {
    var pair = try pair(layout)
    pair.settle(now: moment(.zero))
    let former = try #require(pair.ends[0].security.openings.first)
    pair.at(0) { $0.advance(now: moment(.seconds(3600))) }
    #expect(pair.ends[0].security.openings.count == 2)
    #expect(pair.ends[0].security.openings.last == former)
    #expect(pair.ends[0].nextDeadline == moment(.seconds(3660)))
    // As long as nothing says that the new key is used, the former one stays.
    pair.at(0) { $0.advance(now: moment(.seconds(3659))) }
    #expect(pair.ends[0].security.openings.count == 2)
    pair.settle(now: moment(.milliseconds(3_659_500)))
    #expect(pair.areNewestUsed && pair.ends[0].security.openings.last == former)
    #expect(pair.ends[0].nextDeadline == moment(.milliseconds(3_669_500)))
    pair.at(0) { $0.advance(now: moment(.seconds(3669))) }
    #expect(pair.ends[0].security.openings.count == 2)
    pair.at(0) { $0.advance(now: moment(.seconds(3670))) }
    #expect(pair.ends[0].security.openings.count == 1)
    #expect(!pair.ends[0].security.openings.contains(former))
    #expect(pair.unconfirmedCount == 0)
  }

  @Test(arguments: [FrameKey.Layout.esp, .sleeve])
  func offerThatIsNotConfirmedMakesRoomForAnother(layout: FrameKey.Layout) throws {
    var pair = try pair(layout)
    pair.settle(now: moment(.zero))
    let former = try #require(pair.ends[0].security.openings.first)
    // Both the offer and the next one are refused.
    for round in 0..<2 {
      let start = 3600 + 60 * round
      pair.at(0) { $0.advance(now: moment(.seconds(start))) }
      #expect(pair.unconfirmedCount == round && pair.waiting[1].count == 1)
      #expect(pair.ends[0].security.openings.count == 2)
      #expect(pair.ends[0].security.openings.last == former)
      #expect(pair.ends[0].nextDeadline == moment(.seconds(start + 60)))
      pair.waiting[1] = []
    }
    let refused = pair.ends[0].security.openings[0]
    pair.at(0) { $0.advance(now: moment(.seconds(3720))) }
    #expect(!pair.ends[0].security.openings.contains(refused))
    // A confirmation of what was given up changes nothing.
    let late = refused.identifier.bigEndianBytes
    let before = pair.ends[0].security
    #expect(pair.ends[0].receiveConfirmation(late[...], now: moment(.seconds(3721))) == nil)
    #expect(pair.ends[0].security == before)
    pair.settle(now: moment(.seconds(3722)))
    #expect(pair.areNewestUsed && pair.refusedCount == 0)
    pair.at(0) { $0.advance(now: moment(.seconds(3732))) }
    #expect(pair.ends[0].security.openings.count == 1 && pair.unconfirmedCount == 2)
  }

  /// Who cannot use the overlay never confirms, and is not to be asked for ever.
  @Test func firstOfferIsMadeOnce() throws {
    var pair = try pair(.esp)
    let before = pair.ends[0].security
    #expect(pair.ends[0].nextDeadline == nil)
    pair.at(0) { $0.advance(now: moment(.seconds(9000))) }
    #expect(pair.ends[0].security == before && pair.unconfirmedCount == 0)
  }

  @Test func keysAreStableObjects() throws {
    var pair = try pair(.esp)
    pair.settle(now: moment(.zero))
    let before = pair.ends.map(\.security)
    for second in 1..<100 {
      for end in [0, 1] { pair.at(end) { $0.advance(now: moment(.seconds(second))) } }
    }
    #expect(pair.ends.map(\.security) == before && pair.waiting == [[], []])
  }

  @Test func identifiersAreThoseOfTheLayoutAndNotUsedTwiceInARow() throws {
    for layout in [FrameKey.Layout.esp, .sleeve] {
      var pair = try pair(layout, rekeyInterval: .seconds(1))
      var seen: [UInt32] = []
      for second in 0..<600 {
        let now = moment(.milliseconds(second * 1001))
        for end in [0, 1] { pair.at(end) { $0.advance(now: now) } }
        pair.settle(now: now)
        #expect(pair.areNewestUsed)
        seen += [pair.ends[0].security.openings[0].identifier]
      }
      #expect(pair.refusedCount == 0)
      if layout == .esp {
        #expect(Set(seen).count > 290 && seen.allSatisfy { $0 >> 16 == 0x0101 })
      } else {
        #expect(Set(seen) == Set(1..<128))
      }
    }
  }

  @Test func renewalWaitsForRoom() throws {
    var pair = try pair(.esp)
    // Nobody has confirmed the first one yet.
    pair.at(0) { $0.renew(now: moment(.zero)) }
    #expect(pair.ends[0].security.openings.count == 1)
    pair.settle(now: moment(.zero))
    #expect(pair.ends[0].security.openings.count == 2 && pair.areNewestUsed)
    let second = pair.ends[0].security.openings[0]
    pair.at(0) { $0.renew(now: moment(.seconds(1))) }
    pair.at(0) { $0.renew(now: moment(.seconds(2))) }
    #expect(pair.ends[0].security.openings[0] == second)
    pair.at(0) { $0.advance(now: moment(.seconds(10))) }
    pair.settle(now: moment(.seconds(10)))
    #expect(pair.ends[0].security.openings.last == second && pair.areNewestUsed)
    pair.at(0) { $0.advance(now: moment(.seconds(20))) }
    #expect(pair.ends[0].security.openings.count == 1)
  }

  @Test func peerOfWeaveGetsOneOfferAndNoConfirmation() throws {
    var exchange = KeyExchange(
      .aes256gcm, layout: .esp, terms: try sealingTerms(suites: nil),
      base: try #require(testKey), own: dialler, remote: dialled)
    guard case .offer(let bytes) = exchange.begin(now: moment(.zero)).first else {
      Issue.record("no offer")
      return
    }
    #expect(bytes.count == 64 && bytes.suffix(28).allSatisfy { $0 == 0 })
    #expect(exchange.begin(now: moment(.zero)).isEmpty && exchange.nextDeadline == nil)
    #expect(exchange.renew(now: moment(.seconds(1))).isEmpty)
    #expect(exchange.advance(now: moment(.seconds(90_000))).isEmpty)
    #expect(exchange.receiveConfirmation(bytes[32..<36], now: moment(.zero)) == nil)
    // What Weave leaves zero is nothing to it.
    let offer = KeyOffer(nonce: Array(0..<32), identifier: 256, generation: 9)
    #expect(exchange.receiveOffer(offer.bytes[...], now: moment(.zero)) == [])
    #expect(exchange.canSend)
  }

  // MARK: Another base

  @Test func keysFollowTheConnectionsKeyWhateverIsOnItsWay() throws {
    for seed in fixedSeeds {
      var generator = SeededGenerator(seed: seed)
      var pair = try pair(.sleeve, rekeyInterval: .seconds(1))
      var generation: UInt8 = 0
      var now = Duration.zero
      for _ in 0..<200 {
        now += .milliseconds(generator.number(below: 700))
        let end = generator.number(below: 2)
        switch generator.number(below: 8) {
        case 0:
          // Both ends agree in messages between those about keys, so these are delivered before.
          let key = try #require(SessionKey(bytes: generator.bytes(32)))
          generation &+= 1
          let next = generation
          pair.at(end) { $0.rebase(key, generation: next, now: moment(now)) }
          while pair.waiting[1 - end].count > 1 { pair.deliver(to: 1 - end, now: moment(now)) }
          pair.at(1 - end) { $0.rebase(key, generation: next, now: moment(now)) }
          pair.settle(now: moment(now))
        case 1...4: pair.deliver(to: end, now: moment(now))
        default: pair.at(end) { $0.advance(now: moment(now)) }
        }
        for end in [0, 1] {
          guard let sealing = pair.ends[end].security.sealing else { continue }
          let openings = pair.ends[1 - end].security.openings
          #expect(
            openings.contains { $0.isSame(as: sealing) } && openings.count <= 2, "\(generator)")
        }
      }
      pair.settle(now: moment(now))
      #expect(pair.areNewestUsed && pair.refusedCount == 0, "\(generator)")
    }
  }

  @Test func offerOfAGenerationThatIsNotThereIsRefused() throws {
    var pair = try pair(.sleeve)
    pair.settle(now: moment(.zero))
    let key = try #require(SessionKey(bytes: Array(1...32)))
    let before = pair.ends[0].security
    func offer(_ byte: UInt8, _ generation: UInt8) -> ArraySlice<UInt8> {
      KeyOffer(
        nonce: [UInt8](repeating: byte, count: 32), identifier: 5, generation: generation
      ).bytes[...]
    }
    #expect(pair.ends[0].receiveOffer(offer(1, 1), now: moment(.zero)) == nil)
    #expect(pair.ends[0].security == before)
    for generation: UInt8 in 1...3 {
      _ = pair.ends[0].rebase(key, generation: generation, now: moment(.zero))
    }
    #expect(pair.ends[0].receiveOffer(offer(2, 0), now: moment(.zero)) == nil)
    for generation: UInt8 in 1...3 {
      #expect(
        pair.ends[0].receiveOffer(offer(2 + generation, generation), now: moment(.zero)) != nil)
    }
  }
}

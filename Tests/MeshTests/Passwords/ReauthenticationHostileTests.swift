// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import TestSupport
import Testing

@testable import Mesh

@Suite struct ReauthenticationHostileTests {
  private typealias Message = ReauthenticationPair.Message

  /// An end with the message that makes sense to it, and what that leads to.
  private struct Expectant {
    var pair: ReauthenticationPair
    let end: Int
    var message: Message
    let isRekeying: Bool
  }

  /// For each of the three messages the end that waits for it.
  private static func expectants() throws -> [Expectant] {
    var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [2, 3])], authentication: 1)
    pair.configure(0, try .made(2, [1]))
    var confirmed = pair
    confirmed.take(.deliver(end: 1))
    var refused = try ReauthenticationPair([.made(1, []), .made(1, [])], authentication: 1)
    refused.configure(0, try .made(2, [1]))
    refused.take(.deliver(end: 1))
    return try [(pair, 1, true), (confirmed, 0, true), (refused, 0, false)].map {
      Expectant(
        pair: $0.0, end: $0.1, message: try #require($0.0.ends[$0.1].wire.first),
        isRekeying: $0.2)
    }
  }

  /// What an end does with a message.
  private static func receive(
    _ message: Message, _ expectant: inout Expectant
  ) -> [Reauthentication.Effect]? {
    expectant.pair.ends[expectant.end].machine.receive(
      message.subTag, message.data, now: expectant.pair.now)
  }

  /// Delivers what was meant, which has to work whatever came before it.
  private static func expectSuccess(_ expectant: Expectant, _ comment: Comment) {
    var expectant = expectant
    let count = expectant.pair.ends[expectant.end].machine.ignoredCount
    let effects = receive(expectant.message, &expectant)
    let hasKey = effects?.contains { if case .rekeyed = $0 { true } else { false } }
    #expect(hasKey == expectant.isRekeying, comment)
    #expect(expectant.pair.ends[expectant.end].machine.ignoredCount == count, comment)
  }

  // MARK: Wrong messages

  @Test func messagesOfOtherLengthsMakeNoSense() throws {
    for var expectant in try Self.expectants() {
      let message = expectant.message
      let longer = (1...40).map { message.data + [UInt8](repeating: 0, count: $0) }
      let wrong = (0..<message.data.count).map { Array(message.data[..<$0]) } + longer
      for data in wrong {
        #expect(Self.receive(Message(subTag: message.subTag, data: data), &expectant) == nil)
      }
      #expect(expectant.pair.ends[expectant.end].machine.ignoredCount == wrong.count)
      Self.expectSuccess(expectant, "\(message.subTag)")
    }
  }

  @Test func messagesWithAnyBitChangedAgreeOnNothing() throws {
    for expectant in try Self.expectants() {
      let message = expectant.message
      for bit in 0..<8 * message.data.count {
        var changed = message
        changed.data[bit / 8] ^= 1 << UInt8(bit % 8)
        var copy = expectant
        let effects = Self.receive(changed, &copy)
        // Only a proof is answered, unless it belongs to another time.
        let isAnswered = message.subTag == Reauthentication.prove && bit >= 8
        #expect(
          effects == (isAnswered ? [.send(Reauthentication.unknown, [1])] : nil), "bit \(bit)")
        Self.expectSuccess(copy, "bit \(bit)")
      }
    }
  }

  @Test func otherSubTagsMakeNoSense() throws {
    for var expectant in try Self.expectants() {
      for subTag in UInt8.min...UInt8.max where subTag != expectant.message.subTag {
        let other = Message(subTag: subTag, data: expectant.message.data)
        #expect(Self.receive(other, &expectant) == nil)
      }
      #expect(expectant.pair.ends[expectant.end].machine.ignoredCount == 255)
      Self.expectSuccess(expectant, "\(expectant.message.subTag)")
    }
  }

  @Test(arguments: fixedSeeds)
  func noiseNeitherTrapsNorAgreesOnAnything(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for expectant in try Self.expectants() {
      var expectant = expectant
      for _ in 0..<500 {
        let lengths = [0, 1, 32, 33, 34, 64, 65, 66, random.number(below: 200)]
        var message = Message(
          subTag: 0x80 + UInt8(random.number(below: 8)),
          data: random.bytes(lengths[random.number(below: lengths.count)]))
        if !message.data.isEmpty, random.next() & 1 == 0 { message.data[0] = 1 }
        // That one is right.
        if message.subTag == Reauthentication.unknown && message.data == [1] { continue }
        expectant.pair.now = expectant.pair.now.advanced(by: .milliseconds(50))
        let effects = Self.receive(message, &expectant) ?? []
        #expect(effects.isEmpty || effects == [.send(Reauthentication.unknown, [1])], "\(random)")
      }
      expectant.pair.now = expectant.pair.now.advanced(by: .seconds(1))
      Self.expectSuccess(expectant, "\(random)")
    }
  }

  // MARK: Right messages at wrong times and places

  @Test func messagesOfEarlierChangesMakeNoSense() throws {
    var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [2])], authentication: 1)
    var heard: [[Message]] = [[], []]
    for round in 0..<6 {
      pair.toggle(end: round & 1, round)
      while let end = (0..<2).first(where: { !pair.ends[$0].wire.isEmpty }) {
        heard[end].append(contentsOf: pair.ends[end].wire.prefix(1))
        pair.take(.deliver(end: end))
      }
    }
    #expect(pair.ends[0].keys.count == 6 && heard.allSatisfy { $0.count == 6 })
    pair.expectAgreement("before the replays")
    // And while a proof is under way.
    var busy = pair
    busy.configure(0, try .made(3, [1, 2]))
    for state in [pair, busy] {
      for end in 0..<2 {
        var machine = state.ends[end].machine
        for message in heard[end] {
          for generation in [message.data[0], machine.generation, machine.generation &+ 1] {
            var data = message.data
            data[0] = generation
            let isProof = message.subTag == Reauthentication.prove
            // Who knows nothing but what was said cannot know whether a proof would fit again.
            if isProof && generation == machine.generation &+ 1 { continue }
            #expect(machine.receive(message.subTag, data, now: state.now) == nil)
          }
        }
        #expect(machine.key == state.ends[end].machine.key)
        #expect(machine.generation == state.ends[end].machine.generation)
      }
    }
  }

  @Test func proofsThatAreSentBackProveNothing() throws {
    for end in 0..<2 {
      var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [2])], authentication: 1)
      pair.configure(end, try .made(2, [1]))
      let proof = try #require(pair.ends[1 - end].wire.first)
      var machine = pair.ends[end].machine
      let effects = machine.receive(proof.subTag, proof.data, now: pair.now)
      // The end that was dialled takes it for one that crossed its own, and proves again.
      #expect(effects?.count == (end == 0 ? 0 : 2))
      #expect(machine.generation == 0 && machine.authentication == Password([1]))
      // What authenticates a proof does not authenticate its confirmation.
      let confirmation = [proof.data[0]] + proof.data[33...]
      #expect(machine.receive(Reauthentication.proven, confirmation, now: pair.now) == nil)
    }
  }

  @Test func proofsOfOtherConnectionsProveNothing() throws {
    var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [2])], authentication: 1)
    pair.configure(0, try .made(2, [1]))
    let proof = try #require(pair.ends[1].wire.first)
    let refusal = [Reauthentication.Effect.send(Reauthentication.unknown, [1])]
    let names = ReauthenticationPair.names
    let key = pair.ends[1].machine.key
    let otherKey = try #require(SessionKey(bytes: [UInt8](repeating: 0xA5, count: 32)))
    for (key, remote, isKnown) in [
      (key, names[0], true), (otherKey, names[0], false), (key, PeerName(bits: 7), false),
    ] {
      var machine = Reauthentication(
        sessionKey: key, own: names[1], remote: remote, isOutbound: false,
        ring: try .made(1, [2]), authentication: Password([1]),
        seed: [UInt8](repeating: 9, count: 32))
      let effects = machine.receive(proof.subTag, proof.data, now: pair.now)
      #expect((effects == refusal) == !isKnown)
    }
  }

  // MARK: Work

  @Test func tenProofsAreTriedAtOnceAndASecond() throws {
    let valid = try #require(try Self.expectants().first)
    var expectant = valid
    var wrong = valid.message
    wrong.data[64] ^= 1
    let refusal = [Reauthentication.Effect.send(Reauthentication.unknown, [1])]
    for _ in 0..<9 { #expect(Self.receive(wrong, &expectant) == refusal) }
    Self.expectSuccess(expectant, "the tenth is tried")
    for _ in 0..<1000 { #expect(Self.receive(wrong, &expectant) == refusal) }
    // A right one is not tried either, and its sender comes again.
    #expect(Self.receive(valid.message, &expectant) == refusal)
    expectant.pair.now = expectant.pair.now.advanced(by: .milliseconds(99))
    #expect(Self.receive(valid.message, &expectant) == refusal)
    expectant.pair.now = expectant.pair.now.advanced(by: .milliseconds(100))
    Self.expectSuccess(expectant, "one after a tenth of a second")
  }

  @Test func floodOfProofsDoesNotMakeUsProve() throws {
    var pair = try ReauthenticationPair([.made(1, []), .made(1, [])], authentication: 1)
    pair.configure(1, try .made(2, [1]))
    var sent = 0
    for _ in 0..<1000 {
      let noise = [1] + [UInt8](repeating: 7, count: 64)
      let effects = pair.ends[1].machine.receive(Reauthentication.prove, noise, now: pair.now)
      for case .send(Reauthentication.prove, _) in effects ?? [] { sent += 1 }
    }
    #expect(sent == 10)
    // It is not forgotten.
    #expect(pair.ends[1].machine.nextDeadline == pair.now.advanced(by: .seconds(10)))
  }
}

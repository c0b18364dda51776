// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import Testing

@testable import Mesh

@Suite struct ReauthenticationTests {
  /// A connection made with password 1, which both ends also accept in the place of 2.
  private static func pair() throws -> ReauthenticationPair {
    try ReauthenticationPair([.made(1, [2]), .made(1, [2])], authentication: 1)
  }

  // MARK: What is on the wire

  @Test func messagesHaveTheFormThatIsDescribed() throws {
    var pair = try Self.pair()
    let base = pair.ends[0].machine.key
    pair.configure(0, try .made(2, [1]))
    let proof = try #require(pair.ends[1].wire.first)
    #expect(pair.ends[1].wire.count == 1 && proof.subTag == 0x83 && proof.data.count == 65)
    #expect(proof.data[0] == 1)
    let candidate = base.mixed(with: Password([2]), nonce: Array(proof.data[1..<33]))
    let names = ReauthenticationPair.names.map(\.octets)
    #expect(
      Array(proof.data[33...]) == candidate.authenticator(of: Array("prove".utf8) + names[0]))
    pair.take(.deliver(end: 1))
    let confirmation = try #require(pair.ends[0].wire.first)
    #expect(pair.ends[0].wire.count == 1 && confirmation.subTag == 0x84)
    #expect(
      confirmation.data == [1] + candidate.authenticator(of: Array("proven".utf8) + names[1]))
    pair.run()
    #expect(pair.ends.allSatisfy { $0.keys == [candidate] })
    #expect(pair.ends.allSatisfy { $0.machine.authentication == Password([2]) })
  }

  @Test func unknownPasswordIsAnsweredWithItsGeneration() throws {
    var pair = try Self.pair()
    pair.configure(1, try .made(3, [1]))
    pair.take(.deliver(end: 0))
    let refusal = try #require(pair.ends[1].wire.first)
    #expect(refusal.subTag == 0x85 && refusal.data == [1])
    pair.run()
    #expect(pair.ends.allSatisfy { $0.keys.isEmpty && $0.machine.ignoredCount == 0 })
  }

  @Test func noncesNeverRepeat() throws {
    var pair = try Self.pair()
    var nonces: Set<[UInt8]> = []
    for round in 0..<300 {
      let end = round / 7 & 1
      pair.now = pair.now.advanced(by: .seconds(1))
      pair.toggle(end: end, round)
      for message in pair.ends[1 - end].wire { nonces.insert(Array(message.data[1..<33])) }
      pair.run()
    }
    // Generations have wrapped, and every key was another one.
    #expect(nonces.count == 300 && pair.ends[0].keys.count == 300)
    pair.expectAgreement("300 changes")
    for (index, key) in pair.ends[0].keys.enumerated() {
      #expect(!pair.ends[0].keys[..<index].contains(key))
    }
  }

  // MARK: Who proves what

  @Test func nothingIsProvedBeforePasswordsChange() throws {
    // The end that was dialled has another primary password than the connection.
    var pair = try ReauthenticationPair([.made(1, [2]), .made(2, [1])], authentication: 1)
    #expect(pair.nextDeadline == nil)
    pair.configure(1, try .made(2, [1]))
    pair.configure(0, try .made(1, [2]))
    #expect(pair.actions.isEmpty && pair.nextDeadline == nil)
    pair.configure(1, try .made(2, [1, 3]))
    pair.run()
    #expect(pair.ends[0].machine.authentication == Password([2]))
    pair.expectAgreement("proved by the end that was dialled")
  }

  @Test func proofOfTheEndThatDialledWinsAndTheOtherStaysQuiet() throws {
    let start = try PasswordRing.made(1, [2, 3])
    var pair = try ReauthenticationPair([start, start], authentication: 1)
    pair.configure(0, try .made(2, [1, 3]))
    pair.configure(1, try .made(3, [1, 2]))
    #expect(pair.ends.allSatisfy { $0.wire.count == 1 })
    pair.run()
    pair.expectAgreement("simultaneous")
    #expect(pair.ends[1].machine.authentication == Password([2]))
    #expect(pair.ends[0].keys.count == 1 && pair.nextDeadline == nil)
    // A change of its own lets it prove its primary one again.
    pair.configure(1, try .made(3, [2]))
    pair.run()
    pair.expectAgreement("afterwards")
    #expect(pair.ends[0].machine.authentication == Password([3]))
  }

  @Test func winningProofThatIsUnknownMakesWayForTheOther() throws {
    var pair = try ReauthenticationPair([.made(1, [3]), .made(1, [])], authentication: 1)
    pair.configure(0, try .made(2, [1, 3]))
    pair.configure(1, try .made(3, [1]))
    pair.run()
    pair.expectAgreement("without a pause")
    #expect(pair.ends[0].machine.authentication == Password([3]))
  }

  @Test func passwordThatChangesDuringAProofIsProvedNext() throws {
    let start = try PasswordRing.made(1, [2, 3])
    for other in try [start, .made(1, [3])] {
      var pair = try ReauthenticationPair([start, other], authentication: 1)
      pair.configure(0, try .made(2, [1, 3]))
      pair.configure(0, try .made(3, [1, 2]))
      // One at a time; whether the first one is known or not, the second follows without a pause.
      #expect(pair.ends[1].wire.count == 1)
      pair.run()
      pair.expectAgreement("the last one in the end")
      #expect(pair.ends[1].machine.authentication == Password([3]) && pair.nextDeadline == nil)
      #expect(pair.ends[0].keys.count == (other == start ? 2 : 1))
    }
  }

  // MARK: Time

  @Test func unknownPasswordIsProvedEveryTenSecondsUntilItIsKnown() throws {
    var pair = try ReauthenticationPair([.made(1, []), .made(1, [])], authentication: 1)
    pair.configure(0, try .made(2, [1]))
    for _ in 0..<50 {
      pair.run()
      let before = pair.now
      #expect(pair.nextDeadline == before.advanced(by: .seconds(10)))
      #expect(pair.ends[0].machine.advance(now: before.advanced(by: .seconds(9))).isEmpty)
      pair.take(.wait)
      #expect(pair.ends[1].wire.count == 1)
    }
    #expect(pair.ends[0].keys.isEmpty && pair.ends[0].machine.generation == 0)
    pair.configure(1, try .made(1, [2]))
    pair.run()
    pair.expectAgreement("known in the end")
    #expect(pair.ends[1].machine.authentication == Password([2]) && pair.nextDeadline == nil)
  }

  @Test func proofThatIsNotWantedAnyMoreIsNotRepeated() throws {
    var pair = try ReauthenticationPair([.made(1, []), .made(1, [])], authentication: 1)
    pair.configure(0, try .made(2, [1]))
    pair.run()
    pair.configure(0, try .made(1, []))
    pair.take(.wait)
    #expect(pair.actions.isEmpty && pair.nextDeadline == nil)
    pair.expectAgreement("withdrawn")
  }

  @Test func connectionWithARemovedPasswordEndsAfterTenSeconds() throws {
    var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [])], authentication: 1)
    let start = pair.now
    pair.configure(0, try .made(2, []))
    pair.run()
    pair.now = start.advanced(by: .seconds(4))
    // Another change gives it no more time.
    pair.configure(0, try .made(2, [3]))
    pair.run()
    #expect(pair.nextDeadline == start.advanced(by: .seconds(10)) && pair.ends[0].failure == nil)
    #expect(pair.ends[0].machine.advance(now: start.advanced(by: .milliseconds(9999))).isEmpty)
    pair.take(.wait)
    let failure = try #require(pair.ends[0].failure)
    #expect(failure.contains("give that peer the new password"))
    #expect(failure.contains("\(ReauthenticationPair.names[1])"))
    #expect(pair.nextDeadline == nil && pair.actions.isEmpty)
    // Nothing more is said, and that only once.
    #expect(pair.ends[0].machine.advance(now: start.advanced(by: .seconds(100))).isEmpty)
    pair.configure(0, try .made(3, []))
    pair.configure(1, try .made(2, []))
    pair.run()
    #expect(pair.ends[0].keys.isEmpty && pair.ends[0].failure == failure)
  }

  /// Who was dialled may have shown another password than the one that the dialler uses.
  @Test func whatTheDialledEndShowedIsForgottenWithItsPassword() throws {
    var pair = try ReauthenticationPair(
      [.made(2, [1]), .made(1, [])], authentication: 2, shown: 1)
    #expect(pair.ends[0].machine.shown == Password([1]))
    pair.configure(0, try .made(2, [1, 3]))
    #expect(pair.actions.isEmpty && pair.nextDeadline == nil)
    pair.configure(0, try .made(2, []))
    pair.run()
    // It does not know the other one, and is not believed any more.
    #expect(pair.nextDeadline == pair.now.advanced(by: .seconds(10)))
    pair.take(.wait)
    #expect(pair.ends[0].failure != nil)
  }

  @Test func dialledEndThatHasTheNewPasswordTooIsAskedToShowIt() throws {
    var pair = try ReauthenticationPair(
      [.made(2, [1]), .made(1, [2])], authentication: 2, shown: 1)
    // The connection has it already: nothing is proved.
    pair.configure(1, try .made(2, [1]))
    #expect(pair.actions.isEmpty)
    pair.configure(0, try .made(2, []))
    pair.run()
    #expect(pair.ends[0].machine.shown == Password([2]) && pair.nextDeadline == nil)
    #expect(pair.ends[0].keys.count == 1)
    pair.configure(1, try .made(2, []))
    pair.expectAgreement("shown in the end")
  }

  @Test func removedPasswordIsReplacedInTime() throws {
    var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [])], authentication: 1)
    pair.configure(0, try .made(2, []))
    pair.run()
    #expect(pair.nextDeadline != nil)
    pair.now = pair.now.advanced(by: .seconds(9))
    pair.configure(1, try .made(2, []))
    pair.run()
    pair.expectAgreement("the other end's proof counts too")
    #expect(pair.nextDeadline == nil)
  }

  @Test func oldPasswordThatIsAcceptedAgainSavesTheConnection() throws {
    var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [])], authentication: 1)
    pair.configure(0, try .made(2, []))
    pair.run()
    pair.configure(0, try .made(2, [1]))
    pair.run()
    pair.take(.wait)
    pair.run()
    #expect(pair.ends[0].failure == nil && pair.ends[0].machine.failsAt == nil)
    #expect(pair.nextDeadline == pair.now.advanced(by: .seconds(10)))
  }

  @Test func passwordThatIsProvedTooLateIsNotKept() throws {
    var pair = try ReauthenticationPair([.made(1, [2]), .made(1, [2])], authentication: 1)
    pair.configure(0, try .made(2, [1]))
    pair.take(.deliver(end: 1))
    // While the confirmation is under way, password 2 is taken back, and the other end forgets 1.
    pair.configure(0, try .made(1, []))
    pair.configure(1, try .made(2, []))
    #expect(pair.ends[0].machine.failsAt == nil)
    pair.run()
    #expect(pair.ends[0].machine.authentication == Password([2]))
    #expect(pair.nextDeadline == pair.now.advanced(by: .seconds(10)))
    pair.take(.wait)
    #expect(pair.ends[0].failure != nil && pair.ends[1].failure == nil)
  }

  // MARK: Words

  @Test func nothingThatPrintsItShowsSecrets() throws {
    var pair = try Self.pair()
    pair.configure(0, try .made(2, [1]))
    var dumped = ""
    dump(pair.ends[0].machine, to: &dumped)
    let machine = pair.ends[0].machine
    for text in ["\(machine)", String(reflecting: machine), dumped] {
      #expect(text.contains("generation 0") && !text.contains("Password") && text.count < 100)
    }
    pair.run()
    let effect = Reauthentication.Effect.rekeyed(pair.ends[0].machine.key, generation: 1)
    #expect("\(effect)".contains("SessionKey(hidden)") && !"\(effect)".contains("90"))
  }
}

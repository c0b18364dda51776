// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import Testing

@testable import Mesh

/// The two ends of a connection, with what is on its way between them.
struct ReauthenticationPair {
  /// What can happen next; `end` 0 dialled.
  enum Action {
    /// The next message to an end arrives.
    case deliver(end: Int)
    /// An end gets the next passwords of its list.
    case configure(end: Int)
    /// Time passes until an end's deadline.
    case wait
  }

  struct Message {
    var subTag: UInt8
    var data: [UInt8]
  }

  struct End {
    var machine: Reauthentication
    /// On its way to this end.
    var wire: [Message] = []
    /// Passwords that it is still to be given.
    var configurations: [PasswordRing] = []
    var keys: [SessionKey] = []
    var failure: String?
  }

  static let names = [PeerName(bits: 0x0A), PeerName(bits: 0x0200_0000_000B)]

  var ends: [End]
  var now = MeshInstant(nanoseconds: 1_000_000_000_000)

  /// A connection whose handshake was made with a password that is a number; `shown` is what the
  /// end that was dialled sealed with, if not with that one.
  init(_ rings: [PasswordRing], authentication: UInt8, shown: UInt8? = nil) throws {
    let key = try #require(SessionKey(bytes: [UInt8](repeating: 0x5A, count: 32)))
    ends = rings.enumerated().map { index, ring in
      End(
        machine: Reauthentication(
          sessionKey: key, own: Self.names[index], remote: Self.names[1 - index],
          isOutbound: index == 0, ring: ring, authentication: Password([authentication]),
          shown: index == 0 ? shown.map { Password([$0]) } : nil,
          seed: [UInt8](repeating: UInt8(index), count: 32)))
    }
  }

  var actions: [Action] {
    var actions: [Action] = []
    for end in 0..<2 where !ends[end].wire.isEmpty { actions.append(.deliver(end: end)) }
    for end in 0..<2 where !ends[end].configurations.isEmpty {
      actions.append(.configure(end: end))
    }
    return actions
  }

  var nextDeadline: MeshInstant? { ends.compactMap(\.machine.nextDeadline).min() }

  /// Whether the message that was delivered made sense; true for everything else.
  @discardableResult
  mutating func take(_ action: Action) -> Bool {
    switch action {
    case .deliver(let end):
      let message = ends[end].wire.removeFirst()
      let effects = ends[end].machine.receive(message.subTag, message.data, now: now)
      carryOut(effects ?? [], of: end)
      return effects != nil
    case .configure(let end):
      configure(end, ends[end].configurations.removeFirst())
    case .wait:
      now = nextDeadline ?? now
      for end in 0..<2 { carryOut(ends[end].machine.advance(now: now), of: end) }
    }
    return true
  }

  mutating func configure(_ end: Int, _ ring: PasswordRing) {
    carryOut(ends[end].machine.setRing(ring, now: now), of: end)
  }

  /// Gives an end the one of the passwords 1 and 2 first that is not the connection's.
  mutating func toggle(end: Int, _ round: Int) {
    let next: UInt8 = ends[end].machine.authentication == Password([1]) ? 2 : 1
    // Another one that is new makes it a change in any case.
    let others = [3 - next, UInt8(3 + round % 200)].map { Password([$0]) }
    guard let ring = PasswordRing(Password([next]), others: others) else { return }
    configure(end, ring)
  }

  /// Delivers all messages.
  mutating func run() {
    while let end = ends.firstIndex(where: { !$0.wire.isEmpty }) { take(.deliver(end: end)) }
  }

  private mutating func carryOut(_ effects: [Reauthentication.Effect], of end: Int) {
    for effect in effects {
      switch effect {
      case .send(let subTag, let data):
        ends[1 - end].wire.append(Message(subTag: subTag, data: data))
      case .rekeyed(let key, let generation):
        ends[end].keys.append(key)
        #expect(key == ends[end].machine.key && generation == ends[end].machine.generation)
      case .failed(let reason):
        #expect(ends[end].failure == nil)
        ends[end].failure = reason
      }
    }
  }

  /// Holds once nothing is on its way.
  func expectAgreement(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    let (here, there) = (ends[0], ends[1])
    #expect(here.failure == nil && there.failure == nil, comment, sourceLocation: sourceLocation)
    #expect(here.keys == there.keys, comment, sourceLocation: sourceLocation)
    for end in ends {
      #expect(
        end.machine.generation == UInt8(truncatingIfNeeded: end.keys.count), comment,
        sourceLocation: sourceLocation)
      #expect(end.machine.ignoredCount == 0, comment, sourceLocation: sourceLocation)
      #expect(
        end.machine.ring.accepts(end.machine.authentication), comment,
        sourceLocation: sourceLocation)
      #expect(
        end.machine.ring.accepts(end.machine.shown), comment, sourceLocation: sourceLocation)
    }
    #expect(
      here.machine.key == there.machine.key
        && here.machine.authentication == there.machine.authentication, comment,
      sourceLocation: sourceLocation)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Sealing

/// Both ends of one direction, in one table.
struct PacketEnds: Sendable {
  typealias Outcome = SealingBatch.Outcome

  let kind: PacketKind
  let keys: FrameKeys
  /// What the sender seals with.
  let key: FrameKey
  let sealing: UInt16
  let opening: UInt16

  init(
    _ kind: PacketKind, keys: FrameKeys = FrameKeys(), identifier: UInt32 = 5,
    session bytes: [UInt8] = Array(0..<32), nonce: UInt8 = 0x40,
    firstNumbers: FrameKeys.FirstNumbers? = nil
  ) throws {
    self.kind = kind
    self.keys = keys
    let session = try sessionKey(bytes)
    key = kind.key(isSealing: true, identifier: identifier, session: session, nonce: nonce)
    let other = kind.key(isSealing: false, identifier: identifier, session: session, nonce: nonce)
    if let firstNumbers {
      sealing = try #require(keys.add(key, firstNumbers: firstNumbers))
    } else {
      sealing = try #require(keys.add(key))
    }
    opening = try #require(keys.add(other))
  }

  /// A sealed packet with this text; nil if it cannot be sealed.
  func seal(_ text: some Collection<UInt8>, isFragmentable: Bool = false) -> [UInt8]? {
    let (outcome, packet) = keys.seal(
      kind.packet(text), key: sealing, isFragmentable: isFragmentable)
    return outcome == .done ? packet : nil
  }

  /// What the other end makes of a packet.
  func open(_ packet: [UInt8]) -> (outcome: Outcome, packet: [UInt8]) {
    keys.open(packet, key: opening)
  }

  /// A packet with a number of the sender's choice; it takes a key of its own for it.
  func seal(_ text: [UInt8], number: UInt64, isFragmentable: Bool = false) throws -> [UInt8] {
    let first = FrameKeys.FirstNumbers(unfragmentable: number, fragmentable: number)
    let place = try #require(keys.add(key, firstNumbers: first))
    defer { keys.remove(place) }
    let (outcome, packet) = keys.seal(kind.packet(text), key: place, isFragmentable: isFragmentable)
    try #require(outcome == .done)
    return packet
  }
}

extension FrameKeys {
  /// Seals one packet; what came of it, and what it then is.
  func seal(
    _ packet: [UInt8], key: UInt16, isFragmentable: Bool = false
  ) -> (outcome: SealingBatch.Outcome, packet: [UInt8]) {
    var row = SealingBatch.Packet(offset: 0, length: UInt32(packet.count), key: key)
    row.isFragmentable = isFragmentable
    var batch = SealingBatch()
    var memory = packet
    batch.append(row)
    var span = memory.mutableSpan
    seal(&batch, in: &span)
    return (batch.outcome(of: 0), memory)
  }

  /// Opens one packet; what came of it, and what it then is.
  func open(
    _ packet: [UInt8], key: UInt16, formerKey: UInt16 = FrameKeys.none
  ) -> (outcome: SealingBatch.Outcome, packet: [UInt8]) {
    var row = SealingBatch.Packet(offset: 0, length: UInt32(packet.count), key: key)
    row.formerKey = formerKey
    var batch = SealingBatch()
    var memory = packet
    batch.append(row)
    var span = memory.mutableSpan
    open(&batch, in: &span)
    return (batch.outcome(of: 0), memory)
  }
}

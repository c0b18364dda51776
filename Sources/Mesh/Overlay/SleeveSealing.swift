// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import Wire

/// Makes sealed datagrams of one end of a connection.
struct SleeveSealer: Sendable {
  private let key: SessionKey
  private let sender: PeerName
  private let isOutbound: Bool
  private var fragmentableCount: UInt64 = 0
  private var unfragmentableCount: UInt64 = 0

  /// Seals what `sender` sends; `isOutbound` if that is who dialled.
  init(key: SessionKey, sender: PeerName, isOutbound: Bool) {
    self.key = key
    self.sender = sender
    self.isOutbound = isOutbound
  }

  /// The datagram with these records, each time with the next number.
  mutating func seal(_ records: [UInt8], isFragmentable: Bool) -> [UInt8] {
    let number = isFragmentable ? fragmentableCount : unfragmentableCount
    if isFragmentable { fragmentableCount += 1 } else { unfragmentableCount += 1 }
    let sequence = SleeveSequence(number: number, isFragmentable: isFragmentable)
    var datagram = [UInt8](repeating: 0, count: SleeveSealedHeader.length)
    var span = datagram.mutableSpan
    SleeveFields(sender: sender, sequence: sequence).encode(into: &span)
    let nonce = sequence.nonce(isOutbound: isOutbound)
    SecretBox.seal(records.span, nonce: nonce, key: key, appendingTo: &datagram)
    return datagram
  }
}

/// Opens sealed datagrams of the other end of a connection, each once.
struct SleeveOpener: Sendable {
  /// What came of a datagram.
  enum Outcome: Equatable {
    /// Its records.
    case opened([UInt8])
    /// It is too short, changed on the way, or sealed with another key.
    case notAuthentic
    /// It was opened before, or is too old to tell.
    case replayed
  }

  private let key: SessionKey
  private let isOutbound: Bool
  private var fragmentable = ReplayWindow()
  private var unfragmentable = ReplayWindow()

  /// Opens what the other end sends; `isOutbound` if that is who dialled.
  init(key: SessionKey, isOutbound: Bool) {
    self.key = key
    self.isOutbound = isOutbound
  }

  /// Opens a datagram, from the sender's name on.
  mutating func open(_ datagram: [UInt8]) -> Outcome {
    guard let header = SleeveSealedHeader(datagram.span) else { return .notAuthentic }
    let sequence = header.sequence
    let box = datagram.span.extracting(droppingFirst: SleeveSealedHeader.length)
    guard
      let records = SecretBox.open(box, nonce: sequence.nonce(isOutbound: isOutbound), key: key)
    else { return .notAuthentic }
    // Only now: what is not authentic must not move the window.
    let isNew =
      sequence.isFragmentable
      ? fragmentable.insert(sequence.number) : unfragmentable.insert(sequence.number)
    return isNew ? .opened(records) : .replayed
  }
}

extension SleeveSequence {
  /// The nonce as bytes.
  fileprivate func nonce(isOutbound: Bool) -> [UInt8] {
    var nonce = [UInt8](repeating: 0, count: SleeveSequence.nonceLength)
    var span = nonce.mutableSpan
    encodeNonce(into: &span, isOutbound: isOutbound)
    return nonce
  }
}

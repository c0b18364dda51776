// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
@testable import Sealing

/// Terms with a seed of equal bytes; with peers of Weft if `suites` are offered by both ends.
func sealingTerms(
  _ seed: UInt8 = 1, isOutbound: Bool = true, suites: [CipherSuite]? = [.aes256gcm]
) throws -> SealingTerms {
  var terms = SealingTerms(
    seed: [UInt8](repeating: seed, count: 32), identifierPrefix: 0x0100 + UInt16(seed))
  try terms.agree(ours: suites ?? [], theirs: suites?.map(\.name), isOutbound: isOutbound)
  return terms
}

extension FrameKey {
  /// Whether packets sealed with one of two keys are opened with the other.
  func isSame(as other: FrameKey) -> Bool {
    suite == other.suite && layout == other.layout && identifier == other.identifier
      && secret == other.secret && salt == other.salt
  }
}

/// Both ends of one overlay's choice of keys; what they say waits until it is delivered.
struct ExchangePair {
  var ends: [KeyExchange]
  /// By who gets it.
  var waiting: [[KeyExchange.Message]] = [[], []]
  var refusedCount = 0
  /// How often an end gave up a key that was not confirmed.
  var unconfirmedCount = 0

  init(
    _ suite: CipherSuite, _ layout: FrameKey.Layout,
    rekeyInterval: Duration = .seconds(3600), bases: [SessionKey]
  ) throws {
    ends = try [0, 1].map { end in
      var terms = try sealingTerms(UInt8(end + 1), isOutbound: end == 0, suites: [suite])
      terms.rekeyInterval = rekeyInterval
      return KeyExchange(
        suite, layout: layout, terms: terms, base: bases[end], own: end == 0 ? dialler : dialled,
        remote: end == 0 ? dialled : dialler)
    }
  }

  /// Lets an end do something.
  mutating func at(_ end: Int, _ work: (inout KeyExchange) -> [KeyExchange.Message]) {
    let messages = work(&ends[end])
    unconfirmedCount += messages.count { $0 == .unconfirmed }
    waiting[1 - end] += messages.filter { $0 != .unconfirmed }
  }

  /// Delivers the first message for an end.
  mutating func deliver(to end: Int, now: MeshInstant) {
    guard !waiting[end].isEmpty else { return }
    let answer: [KeyExchange.Message]? =
      switch waiting[end].removeFirst() {
      case .offer(let bytes): ends[end].receiveOffer(bytes[...], now: now)
      case .confirmation(let bytes): ends[end].receiveConfirmation(bytes[...], now: now)
      case .unconfirmed: nil
      }
    if let answer { waiting[1 - end] += answer } else { refusedCount += 1 }
  }

  /// Delivers everything.
  mutating func settle(now: MeshInstant) {
    while let end = [0, 1].first(where: { !waiting[$0].isEmpty }) { deliver(to: end, now: now) }
  }

  /// Whether what each end sends is opened by the other end's newest key.
  var areNewestUsed: Bool {
    [0, 1].allSatisfy { end in
      guard let sealing = ends[end].security.sealing,
        let opening = ends[1 - end].security.openings.first
      else { return false }
      return sealing.isSame(as: opening)
    }
  }
}

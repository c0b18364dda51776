// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing

/// One end of the choice of keys for one overlay of one connection.
///
/// Who receives chooses: it draws a nonce and an identifier, is ready to open what is sealed with
/// that key, and offers it; who gets an offer seals with that key and no other from then on.
/// Between peers of Weft that happens again and again, and the offer is confirmed: the former key
/// opens what is still on its way for a while after that. At most two keys of ours are in use, and
/// none is offered before there is room for it; one that is not confirmed makes room for another.
struct KeyExchange: Sendable {
  /// How long the former key still opens, at most.
  static let overlapMax = Duration.seconds(10)
  /// How long an offer may stay without a confirmation.
  static let confirmationMax = Duration.seconds(60)
  /// Nonces of the other end that are remembered, so that none is used again soon.
  static let nonceCountMax = 64

  /// What the other end is to be told, without sub-tags, and what people are.
  enum Message: Sendable, Equatable {
    /// The key that it is to use.
    case offer([UInt8])
    /// That the key which it chose is used.
    case confirmation([UInt8])
    /// That it did not take the key that we offered.
    case unconfirmed
  }

  /// A connection's key that keys are derived from.
  private struct Base: Sendable {
    let key: SessionKey
    let generation: UInt8
  }

  private let layout: FrameKey.Layout
  private let suite: CipherSuite
  private let terms: SealingTerms
  private let own: PeerName
  private let remote: PeerName
  /// The newest first, and two before it, which offers on their way may be made with.
  private var bases: [Base]
  private var offerCount: UInt64 = 0
  private var hasBegun = false
  /// Whether the other end uses the newest key.
  private var isConfirmed = false
  /// Whether another key is to be offered as soon as it can be.
  private var isRenewalWanted = false
  private var renewsAt: MeshInstant?
  private var dropsAt: MeshInstant?
  /// When the newest key is taken for refused; nil: it is confirmed, or the first one.
  private var refusedAt: MeshInstant?
  private var nonces: [[UInt8]] = []
  private var offers = TokenBucket(countMax: 8, pause: .milliseconds(400))

  /// The keys of now.
  private(set) var security: LinkSecurity

  /// Prepares it with the connection's key.
  init(
    _ suite: CipherSuite, layout: FrameKey.Layout, terms: SealingTerms, base: SessionKey,
    own: PeerName, remote: PeerName
  ) {
    self.suite = suite
    self.layout = layout
    self.terms = terms
    self.own = own
    self.remote = remote
    bases = [Base(key: base, generation: 0)]
    security = LinkSecurity(
      suite: suite, sealing: nil, openings: [], renewedAt: MeshInstant(nanoseconds: 0))
  }

  /// Whether there is a key for what we send.
  var canSend: Bool { security.sealing != nil }

  /// When `advance` is due; nil: never.
  var nextDeadline: MeshInstant? { dropsAt ?? refusedAt ?? (hasRoom ? renewsAt : nil) }

  /// Whether another key may be offered.
  private var hasRoom: Bool { hasBegun && isConfirmed && security.openings.count < 2 }

  // MARK: Inputs

  /// Offers the first key.
  mutating func begin(now: MeshInstant) -> [Message] {
    guard !hasBegun else { return [] }
    hasBegun = true
    return [offer(now: now)]
  }

  /// Offers another key as soon as that is possible.
  mutating func renew(now: MeshInstant) -> [Message] {
    guard terms.isRenewable, hasBegun else { return [] }
    isRenewalWanted = true
    return offerIfDue(now: now)
  }

  /// The connection has another key from now on.
  mutating func rebase(
    _ key: SessionKey, generation: UInt8, now: MeshInstant
  ) -> [Message] {
    guard terms.isRenewable else { return [] }
    bases = [Base(key: key, generation: generation)] + bases.prefix(2)
    return renew(now: now)
  }

  /// Does what is due.
  mutating func advance(now: MeshInstant) -> [Message] {
    if dropsAt.isDue(now) {
      dropsAt = nil
      security.openings.removeLast()
    }
    return refusedAt.isDue(now) ? offerAnother(now: now) : offerIfDue(now: now)
  }

  /// The other end chose a key; nil if it makes no sense.
  mutating func receiveOffer(_ bytes: ArraySlice<UInt8>, now: MeshInstant) -> [Message]? {
    guard let offer = KeyOffer(bytes), isUsable(offer.identifier), offers.take(now: now),
      // A key that was used would begin again with numbers that were given out.
      !nonces.contains(offer.nonce), let base = base(of: offer)
    else { return nil }
    nonces = [offer.nonce] + nonces.prefix(Self.nonceCountMax - 1)
    security.sealing = FrameKey(
      suite, layout: layout, isSealing: true, identifier: offer.identifier, from: base,
      nonce: offer.nonce, info: terms.info(layout, receiver: remote))
    security.renewedAt = now
    return terms.isRenewable ? [.confirmation(offer.identifier.bigEndianBytes)] : []
  }

  /// The other end uses the key that we offered; nil if that makes no sense.
  mutating func receiveConfirmation(_ bytes: ArraySlice<UInt8>, now: MeshInstant) -> [Message]? {
    guard terms.isRenewable, !isConfirmed, let newest = security.openings.first,
      Array(bytes) == newest.identifier.bigEndianBytes
    else { return nil }
    isConfirmed = true
    refusedAt = nil
    if security.openings.count > 1 {
      dropsAt = now.advanced(by: min(Self.overlapMax, terms.rekeyInterval))
    }
    return offerIfDue(now: now)
  }

  private func isUsable(_ identifier: UInt32) -> Bool {
    layout == .esp ? identifier >= 256 : identifier < 128
  }

  /// What an offer's key is derived from; nil if no key of the connection has its number.
  private func base(of offer: KeyOffer) -> SessionKey? {
    guard terms.isRenewable else { return bases.first?.key }
    return bases.first { $0.generation == offer.generation }?.key
  }

  // MARK: Offers

  private mutating func offerIfDue(now: MeshInstant) -> [Message] {
    guard terms.isRenewable, hasRoom, isRenewalWanted || renewsAt.isDue(now) else { return [] }
    return [offer(now: now)]
  }

  /// Gives up a key that was not confirmed.
  ///
  /// The other end confirms an offer as soon as it uses the key, and what it says comes in order:
  /// it still uses the key before that one, which stays. A confirmation that comes nevertheless is
  /// of no key that is waited for, and the next offer is behind it.
  private mutating func offerAnother(now: MeshInstant) -> [Message] {
    security.openings.removeFirst()
    return [.unconfirmed, offer(now: now)]
  }

  private mutating func offer(now: MeshInstant) -> Message {
    let base = bases[0]
    let nonce = terms.seed.authenticator(of: [layout.rawValue] + offerCount.bigEndianBytes)
    let offer = KeyOffer(nonce: nonce, identifier: identifier, generation: base.generation)
    offerCount += 1
    let key = FrameKey(
      suite, layout: layout, isSealing: false, identifier: offer.identifier, from: base.key,
      nonce: nonce, info: terms.info(layout, receiver: own))
    security.openings.insert(key, at: 0)
    isConfirmed = false
    isRenewalWanted = false
    renewsAt = terms.isRenewable ? now.advanced(by: terms.rekeyInterval) : nil
    // The first one of all is not confirmed by who cannot use the overlay.
    refusedAt = security.openings.count > 1 ? now.advanced(by: Self.confirmationMax) : nil
    return .offer(offer.bytes)
  }

  /// The next key's: those of ESP count from anywhere, as others at our address may have some.
  private var identifier: UInt32 {
    guard layout == .esp else { return UInt32(1 + offerCount % 127) }
    let start = UInt16(bigEndianBytes: terms.seed.authenticator(of: [layout.rawValue]).prefix(2))
    let low = start &+ UInt16(truncatingIfNeeded: offerCount)
    return UInt32(terms.identifierPrefix) << 16 | UInt32(low)
  }
}

extension [KeyExchange.Message] {
  /// Sends them by an overlay, whose offers have a sub-tag of their own.
  func effects(_ overlay: OverlayKind, index: UInt8) -> [OverlayEffect] {
    let offerTag =
      overlay == .fastdp ? OverlaySubTag.fastdpSecurity : OverlaySubTag.sleeveSecurity
    return map { message in
      switch message {
      case .offer(let data): .keyControl([index, offerTag] + data)
      case .confirmation(let data): .keyControl([index, OverlaySubTag.keyConfirmed] + data)
      case .unconfirmed: .keyUnconfirmed(overlay)
      }
    }
  }
}

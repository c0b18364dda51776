// SPDX-License-Identifier: Apache-2.0

import Inet
public import Sealing

/// How the frames of one connection are sealed, as far as both ends agree on it when they meet.
public struct SealingTerms: Sendable {
  /// How long keys are used, unless something else is said.
  public static let rekeyInterval = Duration.seconds(3600)

  /// How datagrams of sleeve are sealed.
  public var suite = CipherSuite.secretbox
  /// Whether the other end is Weft and takes new keys in place of old ones.
  public var isRenewable = false
  /// Whether we can seal VXLAN, which takes AES.
  public var canUseESP = true
  /// How long a key of ours is used.
  public var rekeyInterval = SealingTerms.rekeyInterval
  /// In front of the receiver's name in what sleeve's keys are derived with.
  ///
  /// It has what both ends offered, so that ends which saw different offers have different keys.
  var info: [UInt8] = []
  /// Draws nonces.
  let seed: SessionKey
  /// The high half of all SPIs of the connection, which no other connection of ours has; never 0.
  let identifierPrefix: UInt16

  /// Terms with a peer of Weave; `seed` is 32 bytes that nobody can guess.
  public init(seed: [UInt8], identifierPrefix: UInt16) {
    guard let seed = SessionKey(bytes: seed) else { preconditionFailure("a seed has 32 bytes") }
    precondition(identifierPrefix != 0, "SPIs below 256 are not for use")
    self.seed = seed
    self.identifierPrefix = identifierPrefix
  }

  /// Takes what both ends offer, each in its order of preference, if `theirs` is nil because the
  /// other end is not Weft: what Weave has.
  ///
  /// Both ends choose the same: the first suite of the end that dialled which the other one has.
  ///
  /// - Throws: `OverlayError` if there is none.
  public mutating func agree(
    ours: [CipherSuite], theirs: [String]?, isOutbound: Bool
  ) throws(OverlayError) {
    let names = ours.map(\.name)
    guard let theirs, !ours.isEmpty else { return }
    let (first, second) = isOutbound ? (names, theirs) : (theirs, names)
    guard
      let suite = first.lazy.filter(second.contains).compactMap({ CipherSuite(name: $0) }).first
    else { throw .noCommonSuite(ours: names, theirs: theirs) }
    self.suite = suite
    isRenewable = true
    info = Array("weft sleeve".utf8) + Array(suite.name.utf8) + [0]
    for list in [first, second] { info += Array(list.joined(separator: " ").utf8) + [0] }
  }

  /// What goes into the derivation of a key whose packets `receiver` gets.
  func info(_ layout: FrameKey.Layout, receiver: PeerName) -> [UInt8] {
    (layout == .sleeve ? info : []) + receiver.bits.bigEndianBytes
  }
}

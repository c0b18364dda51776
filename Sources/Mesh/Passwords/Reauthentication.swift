// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Sealing

/// Moves a live connection between two peers of Weft from one password to another.
///
/// An end whose primary password is not the connection's proves that it has it, and thereby makes a
/// key: it draws a nonce, and the key is the connection's first one mixed with the nonce and the
/// password. Who knows the password confirms that with the same key, and both use it from then on;
/// who does not know it says so, and is asked again later, as it may get the password meanwhile.
/// At most one proof of each end is on its way. If both prove at once, the proof of the end that
/// dialled counts. The messages are overlay control messages, of which the caller adds the tag and
/// the overlay's index; they have to come in order and each once, as a connection's do.
public struct Reauthentication: Sendable {
  /// Sub-tag of a proof: generation 1 | nonce 32 | proof 32.
  public static let prove: UInt8 = 0x83
  /// Sub-tag of the answer of who knows the password: generation 1 | proof 32.
  public static let proven: UInt8 = 0x84
  /// Sub-tag of the answer of who does not know it: generation 1.
  public static let unknown: UInt8 = 0x85

  /// After which time a password that was unknown is proved again.
  public static let retryPause = Duration.seconds(10)
  /// How long a connection may last whose password is not accepted any more.
  public static let grace = Duration.seconds(10)
  /// How many proofs of the other end are tried at once, and each second.
  public static let countMaxOfProofs = 10

  static let proofLength = 32

  /// What is to be done.
  public enum Effect: Sendable, Equatable {
    /// A message with a sub-tag is to be sent to the other end.
    case send(UInt8, [UInt8])
    /// Both ends have agreed on another key: keys of frames are derived from it from now on.
    case rekeyed(SessionKey, generation: UInt8)
    /// The connection has to end; a sentence for people.
    case failed(String)
  }

  /// What we want to be believed, while no answer has come.
  struct Proof: Sendable {
    let generation: UInt8
    let password: Password
    let candidate: SessionKey
  }

  /// The passwords of this peer.
  public private(set) var ring: PasswordRing
  /// The password that the connection's key is made with.
  public internal(set) var authentication: Password
  /// The password that the other end showed last: to be dialled proves nothing about ours.
  public internal(set) var shown: Password
  /// The connection's key: its first one, or the one of the last `.rekeyed`.
  public internal(set) var key: SessionKey
  /// How often the key was changed, modulo 256.
  public internal(set) var generation: UInt8 = 0
  /// How many messages made no sense.
  public internal(set) var ignoredCount = 0

  let base: SessionKey
  let own: PeerName
  let remote: PeerName
  let isOutbound: Bool
  var pending: Proof?
  var retryAt: MeshInstant?
  var failsAt: MeshInstant?
  var proofs = TokenBucket(
    countMax: countMaxOfProofs, pause: .seconds(1) / countMaxOfProofs)
  private var isOver = false
  private let nonces: SessionKey
  private var nonceCount: UInt64 = 0

  /// Begins with what the connection's handshake led to; `seed` is 32 bytes that nobody can guess,
  /// and `shown` what the other end's first message was sealed with, if not with `authentication`.
  ///
  /// If the passwords changed since the handshake, `setRing` with the new ones is to follow.
  public init(
    sessionKey: SessionKey, own: PeerName, remote: PeerName, isOutbound: Bool, ring: PasswordRing,
    authentication: Password, shown: Password? = nil, seed: [UInt8]
  ) {
    guard let nonces = SessionKey(bytes: seed) else { preconditionFailure("a seed has 32 bytes") }
    self.nonces = nonces
    base = sessionKey
    key = sessionKey
    self.own = own
    self.remote = remote
    self.isOutbound = isOutbound
    self.ring = ring
    self.authentication = authentication
    self.shown = shown ?? authentication
  }

  // MARK: Configuration and time

  /// Takes the passwords of a new configuration; the same ones again change nothing.
  public mutating func setRing(_ ring: PasswordRing, now: MeshInstant) -> [Effect] {
    guard !isOver, ring != self.ring || !isAccepted(by: ring) else { return [] }
    self.ring = ring
    boundUnaccepted(now: now)
    return proveIfNeeded()
  }

  /// Lets the connection live on only for a while if its password is not accepted.
  mutating func boundUnaccepted(now: MeshInstant) {
    failsAt = isAccepted(by: ring) ? nil : failsAt ?? now.advanced(by: Reauthentication.grace)
  }

  /// Whether neither the connection's password nor what the other end showed has been removed.
  private func isAccepted(by ring: PasswordRing) -> Bool {
    let isShownAccepted = ring.accepts(shown)
    return ring.accepts(authentication) && isShownAccepted
  }

  /// Whether the other end is to confirm that it knows our primary password.
  var isProofWanted: Bool { ring.primary != authentication || !ring.accepts(shown) }

  /// When `advance` is to be called; nil: not before something else happens.
  public var nextDeadline: MeshInstant? {
    guard let retryAt, let failsAt else { return retryAt ?? failsAt }
    return min(retryAt, failsAt)
  }

  /// Does what time has come for.
  public mutating func advance(now: MeshInstant) -> [Effect] {
    if let failsAt, failsAt <= now { return [fail()] }
    guard let retryAt, retryAt <= now else { return [] }
    self.retryAt = nil
    return proveIfNeeded()
  }

  private mutating func fail() -> Effect {
    isOver = true
    pending = nil
    retryAt = nil
    failsAt = nil
    return .failed(
      "this peer does not accept the password of the connection any more, and \(remote) did not "
        + "take or show another one within \(Reauthentication.grace); give that peer the new "
        + "password, or let this one accept the old one too until it has it")
  }

  // MARK: Messages

  /// Takes a message of the other end; nil if it makes no sense, which is counted.
  public mutating func receive(
    _ subTag: UInt8, _ data: [UInt8], now: MeshInstant
  ) -> [Effect]? {
    // What a connection says that is about to be closed does not matter.
    guard !isOver else { return [] }
    let effects: [Effect]? =
      switch subTag {
      case Reauthentication.prove: receiveProof(data, now: now)
      case Reauthentication.proven: receiveConfirmation(data, now: now)
      case Reauthentication.unknown: receiveRefusal(data, now: now)
      default: nil
      }
    if effects == nil { ignoredCount += 1 }
    return effects
  }

  /// Proves the primary password, unless that is the connection's and the other end has shown one
  /// that is accepted; if a proof is on its way, its answer leads here again.
  mutating func proveIfNeeded() -> [Effect] {
    guard pending == nil, isProofWanted else { return [] }
    retryAt = nil
    let nonce = nextNonce()
    let proof = Proof(
      generation: generation &+ 1, password: ring.primary,
      candidate: base.mixed(with: ring.primary, nonce: nonce))
    pending = proof
    let authenticator = proof.candidate.authenticator(of: Reauthentication.proofText(of: own))
    return [.send(Reauthentication.prove, [proof.generation] + nonce + authenticator)]
  }

  private mutating func nextNonce() -> [UInt8] {
    defer { nonceCount += 1 }
    let number = (0..<8).map { UInt8(truncatingIfNeeded: nonceCount >> UInt64(56 - 8 * $0)) }
    return nonces.authenticator(of: number)
  }
}

extension Reauthentication: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// With whom, and how often the key was changed.
  public var description: String { "Reauthentication(\(remote), generation \(generation))" }

  /// With whom, and how often the key was changed.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

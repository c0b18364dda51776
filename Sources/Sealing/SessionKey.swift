// SPDX-License-Identifier: Apache-2.0

/// The key of one connection, 32 bytes.
///
/// Both ends derive it from the password, their own private key and the other's public key, so
/// that neither a recording nor the password alone opens what was said.
public final class SessionKey: Sendable, Equatable {
  /// Bytes of a key.
  public static let length = 32

  let secret: SecretBytes

  /// SHA-256 of NaCl's precomputed key followed by the password; nil if `remotePublicKey` is one
  /// that leads to no secret, or has not 32 bytes.
  public init?(_ pair: KeyPair, remotePublicKey: [UInt8], password: Password) {
    guard let shared = pair.privateKey.shared(with: remotePublicKey) else { return nil }
    secret = shared.digest(followedBy: password.secret)
  }

  /// Wraps 32 bytes.
  public init?(bytes: [UInt8]) {
    guard bytes.count == SessionKey.length else { return nil }
    secret = SecretBytes(bytes)
  }

  /// HMAC-SHA256 of a message with this key, 32 bytes; it may be sent, and shows who has the key.
  public func authenticator(of message: [UInt8]) -> [UInt8] {
    secret.authenticator(of: message).disclosed()
  }

  /// Another key, which only those derive who have this one and the password.
  ///
  /// It is HMAC-SHA256 with this key of "weft password", the nonce and the password.
  public func mixed(with password: Password, nonce: [UInt8]) -> SessionKey {
    let message = Array("weft password".utf8) + nonce
    return SessionKey(secret.authenticator(of: message, followedBy: password.secret))
  }

  private init(_ secret: SecretBytes) { self.secret = secret }

  /// Whether two keys have the same bytes, in a time that tells nothing about them.
  public static func == (left: SessionKey, right: SessionKey) -> Bool {
    left.secret == right.secret
  }
}

extension SessionKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// That there is one.
  public var description: String { "SessionKey(hidden)" }

  /// That there is one.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

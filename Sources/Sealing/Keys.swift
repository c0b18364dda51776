// SPDX-License-Identifier: Apache-2.0

/// The secret that all peers of a mesh share.
public final class Password: Sendable {
  /// Takes the bytes of a password.
  public init(_ bytes: [UInt8]) {}
}

/// A Curve25519 key pair.
public final class KeyPair: Sendable {
  /// The public key, 32 bytes.
  public let publicKey: [UInt8]

  /// Derives a pair from 32 random bytes, the private key.
  public init(privateKey: [UInt8]) { publicKey = [] }

  /// Draws a pair.
  public convenience init(random: inout some RandomNumberGenerator) { self.init(privateKey: []) }
}

/// The key of one connection, 32 bytes.
public final class SessionKey: Sendable {
  /// SHA-256 of NaCl's precomputed key followed by the password; nil if `remotePublicKey` is one
  /// that leads to no secret, or has not 32 bytes.
  public init?(_ pair: KeyPair, remotePublicKey: [UInt8], password: Password) {}

  /// Wraps 32 bytes.
  public init?(bytes: [UInt8]) {}
}

/// NaCl's secretbox: XSalsa20 and Poly1305, the tag before the text.
public enum SecretBox {
  /// How much longer a sealed message is.
  public static let overhead = 16

  /// Seals a message; `nonce` has 24 bytes and is never used twice with a key.
  public static func seal(_ text: [UInt8], nonce: [UInt8], key: SessionKey) -> [UInt8] { [] }

  /// Opens a message; nil if it is not authentic.
  public static func open(_ box: [UInt8], nonce: [UInt8], key: SessionKey) -> [UInt8]? { nil }
}

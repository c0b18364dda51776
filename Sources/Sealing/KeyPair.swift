// SPDX-License-Identifier: Apache-2.0

/// A Curve25519 key pair.
public final class KeyPair: Sendable {
  /// Bytes of a public key, and of a private one.
  public static let keyLength = 32

  /// The public key, 32 bytes.
  public let publicKey: [UInt8]
  let privateKey: SecretBytes

  /// Derives a pair from 32 random bytes, the private key.
  public convenience init(privateKey: [UInt8]) {
    precondition(privateKey.count == KeyPair.keyLength, "a private key has 32 bytes")
    self.init(privateKey: SecretBytes(privateKey))
  }

  /// Draws a pair; `random` is one whose numbers nobody can guess, as the system's.
  public convenience init(random: inout some RandomNumberGenerator) {
    self.init(privateKey: SecretBytes(count: KeyPair.keyLength, random: &random))
  }

  private init(privateKey: SecretBytes) {
    self.privateKey = privateKey
    publicKey = privateKey.curvePoint()
  }
}

extension KeyPair: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// That there is one.
  public var description: String { "KeyPair(hidden)" }

  /// That there is one.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

// SPDX-License-Identifier: Apache-2.0

/// The key of one direction of one link, for as long as it is used: a new one has another key.
///
/// Two are the same only if they are one object. Nothing that prints or inspects it shows its
/// bytes.
public final class FrameKey: Sendable, Hashable {
  /// What sealed packets look like.
  public enum Layout: UInt8, Sendable, BitwiseCopyable {
    /// Datagrams of sleeve: sender's name 6, number 8, tag 16, text.
    case sleeve
    /// ESP (RFC 4303, 4106): SPI 4, low half of the number 4, IV 8, text with its trailer, tag 16.
    case esp

    /// Bytes before the text of a datagram of sleeve.
    public static var sleeveTextOffset: Int { 30 }
    /// Bytes before the text of an ESP packet.
    public static var espTextOffset: Int { 16 }
    /// Bytes of ESP's tag, behind the text.
    public static var espTagLength: Int { 16 }
  }

  /// How it seals.
  public let suite: CipherSuite
  /// What for.
  public let layout: Layout
  /// Whether it seals what we send; otherwise it opens what the other end sends.
  public let isSealing: Bool
  /// By which receivers find it: ESP's SPI, or 7 bits in the number of sleeve's datagrams.
  ///
  /// Of `secretbox` it is 0 and in no packet.
  public let identifier: UInt32
  /// 32 bytes; of `secretbox` the subkey of the direction.
  let secret: SecretBytes
  /// The first 4 bytes of the nonces; not used by `secretbox`.
  let salt: SecretBytes

  /// The key of secretbox for what one end of a connection sends by sleeve.
  public init(
    secretbox key: SessionKey, isSenderOutbound: Bool, isSealing: Bool
  ) {
    suite = .secretbox
    layout = .sleeve
    self.isSealing = isSealing
    identifier = 0
    secret = key.secret.subkey(isSenderOutbound: isSenderOutbound)
    salt = SecretBytes([0, 0, 0, 0])
  }

  /// Derives a key from a connection's, by HKDF-SHA256 (RFC 5869) with `nonce` as its salt: 32
  /// bytes, and 4 for the nonces.
  public init(
    _ suite: CipherSuite, layout: Layout, isSealing: Bool, identifier: UInt32,
    from base: SessionKey, nonce: [UInt8], info: [UInt8]
  ) {
    precondition(suite != .secretbox, "secretbox uses the connection's key itself")
    self.suite = suite
    self.layout = layout
    self.isSealing = isSealing
    self.identifier = identifier
    (secret, salt) = base.secret.derived(salt: nonce, info: info)
  }

  /// Whether two are one object.
  public static func == (left: FrameKey, right: FrameKey) -> Bool { left === right }

  /// Hashes the object's identity.
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension FrameKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// That there is one.
  public var description: String { "FrameKey(hidden)" }

  /// That there is one.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

// SPDX-License-Identifier: Apache-2.0

internal import CCiphers

/// How packets between two peers are sealed.
public enum CipherSuite: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// XSalsa20 and Poly1305, as NaCl's secretbox: what Weave Net has.
  case secretbox
  /// AES-256 in Galois/Counter mode (NIST SP 800-38D).
  case aes256gcm
  /// ChaCha20 and Poly1305 (RFC 8439).
  case chacha20poly1305

  /// What configuration, status and the mesh's features call it.
  public var name: String { String(describing: self) }

  /// Finds a suite by its name.
  public init?(name: some StringProtocol) {
    guard let suite = CipherSuite.allCases.first(where: { $0.name == name }) else { return nil }
    self = suite
  }
}

extension CipherSuite {
  /// Whether this machine can seal with it: `aes256gcm` takes a processor with AES, the others are
  /// never missing.
  public var isAvailable: Bool { self != .aes256gcm || cciphers_has_aes() }

  /// Those that are available here, the best first.
  public static var available: [CipherSuite] {
    [.aes256gcm, .chacha20poly1305, .secretbox].filter(\.isAvailable)
  }
}

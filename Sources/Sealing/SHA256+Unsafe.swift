// SPDX-License-Identifier: Apache-2.0

internal import CSodium

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
  /// The digest of a message, 32 bytes.
  public static func digest(of message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    _ = unsafe crypto_hash_sha256(&digest, message, UInt64(message.count))
    return digest
  }
}

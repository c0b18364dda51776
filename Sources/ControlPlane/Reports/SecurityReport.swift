// SPDX-License-Identifier: Apache-2.0

package import Sealing

/// How frames to and from a peer are encrypted.
package struct SecurityReport: Codable, Sendable, Equatable {
  /// What sealed packets look like.
  package enum Packets: String, Codable, Sendable, CaseIterable {
    /// VXLAN in ESP.
    case esp
    /// Sleeve's datagrams.
    case sleeve
  }

  /// Packets that were not opened, by why.
  package struct Refused: Codable, Sendable, Equatable {
    /// Were changed on the way, or sealed with a key that is not ours.
    package var notAuthentic: UInt64
    /// Were opened before, or are too old to tell.
    package var replayed: UInt64

    /// Counts them.
    package init(notAuthentic: UInt64 = 0, replayed: UInt64 = 0) {
      self.notAuthentic = notAuthentic
      self.replayed = replayed
    }

    /// All of them.
    package var total: UInt64 { notAuthentic &+ replayed }

    private enum CodingKeys: String, CodingKey {
      case replayed
      case notAuthentic = "not_authentic"
    }
  }

  /// The name of the suite, `aes256gcm` for one.
  package var suite: String
  /// What sealed packets look like.
  package var packets: Packets
  /// Seconds since the key was taken with which frames are sealed.
  package var keyAgeSeconds: Int
  /// Packets that were sealed, with all keys of the connection.
  package var sealed: UInt64
  /// Packets that were opened, with all keys of the connection.
  package var opened: UInt64
  /// Packets that were not, with all keys of the connection.
  package var refused: Refused

  /// Describes the encryption of a connection; `counts` are those of all its keys so far.
  package init(
    suite: CipherSuite, layout: FrameKey.Layout, keyAgeSeconds: Int, counts: KeyCounts
  ) {
    self.suite = suite.name
    packets = layout == .esp ? .esp : .sleeve
    self.keyAgeSeconds = max(0, keyAgeSeconds)
    sealed = counts.sealed
    opened = counts.opened
    refused = Refused(notAuthentic: counts.notAuthentic, replayed: counts.replayed)
  }

  private enum CodingKeys: String, CodingKey {
    case suite, sealed, opened, refused
    case packets = "protocol"
    case keyAgeSeconds = "key_age_seconds"
  }
}

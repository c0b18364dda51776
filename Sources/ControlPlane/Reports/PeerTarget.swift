// SPDX-License-Identifier: Apache-2.0

internal import Inet

/// A peer as its people name it: `host` or `host:port`.
package struct PeerTarget: Hashable, Sendable, LosslessStringConvertible {
  /// A name or an IPv4 address.
  package let host: String
  /// The port, if one is named.
  package let port: UInt16?

  /// What `init(_:)` reads, for people.
  package static let accepted =
    "a host's name or IPv4 address, with its port if it is another than ours, like host-b or"
    + " 192.0.2.2:6783"

  /// Reads a host's name or IPv4 address and, after a colon, a port; anything else is nil.
  package init?(_ description: String) {
    let parts = description.split(separator: ":", omittingEmptySubsequences: false)
    guard 1...2 ~= parts.count, PeerTarget.isHost(parts[0]) else { return nil }
    host = String(parts[0])
    guard parts.count == 2 else {
      port = nil
      return
    }
    guard parts[1].utf8.count <= 5, parts[1].utf8.allSatisfy({ 48...57 ~= $0 }),
      let number = UInt16(parts[1]), number > 0
    else { return nil }
    port = number
  }

  /// As it is written.
  package var description: String { port.map { "\(host):\($0)" } ?? host }

  /// A host's name (RFC 1123, with the underscores that some have) or the address of one host.
  private static func isHost(_ text: Substring) -> Bool {
    guard 1...253 ~= text.utf8.count else { return false }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      1...63 ~= label.utf8.count && label.utf8.allSatisfy(isInLabel) && !label.hasPrefix("-")
        && !label.hasSuffix("-")
    }
    // What ends in a number would be taken for an address by whoever resolves it.
    guard isName, let last = labels.last else { return false }
    return last.utf8.allSatisfy { 48...57 ~= $0 }
      ? IPv4Address(String(text))?.isPossiblePeer == true : true
  }

  private static func isInLabel(_ byte: UInt8) -> Bool {
    48...57 ~= byte || 65...90 ~= byte || 97...122 ~= byte || byte == 45 || byte == 95
  }
}

extension IPv4Address {
  /// Whether a peer may be there; peers on one machine may have loopback addresses.
  fileprivate var isPossiblePeer: Bool { isUnicast || bits >> 24 == 127 }
}

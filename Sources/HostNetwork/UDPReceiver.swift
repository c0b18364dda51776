// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Inet

/// A UDP socket for IPv4 that takes datagrams from anybody, as the kernel lists it.
///
/// Sockets of the kernel's own are among them, such as those of its VXLAN devices that are up. IPv6
/// sockets that take IPv4 as well are not: the kernel does not say which of them do.
package struct UDPReceiver: Hashable, Sendable {
  /// The address it is bound to; 0.0.0.0 means all of this host's.
  package let address: IPv4Address
  /// The port it is bound to.
  package let port: UInt16

  /// Describes a receiver.
  package init(address: IPv4Address, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// A listing longer than this is not read to its end: some hundred thousand sockets.
  private static let listingLengthMax = 32 << 20

  /// All of them in this network namespace.
  static func all() throws(HostNetworkError) -> [UDPReceiver] {
    let file = "/proc/thread-self/net/udp"
    let listing = try FileDescriptor.open(file, flags: O_RDONLY)
    var text = ""
    while text.utf8.count < listingLengthMax {
      let piece = try listing.read(limit: 1 << 16, subject: file)
      if piece.isEmpty { break }
      text += piece
    }
    return receivers(in: text)
  }

  /// The receivers of a listing in the form of `/proc/net/udp`; lines of another form are not
  /// minded.
  static func receivers(in listing: String) -> [UDPReceiver] {
    listing.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 3)
      guard fields.count > 2, let local = end(fields[1]), let remote = end(fields[2]),
        // A connected socket takes datagrams from one sender only.
        remote.address.bits == 0, remote.port == 0
      else { return nil }
      return local
    }
  }

  /// An address and port such as `0100007F:12B5`: the address's bytes as they lie in memory read
  /// as one number of this machine.
  private static func end(_ text: Substring) -> UDPReceiver? {
    let halves = text.split(separator: ":", omittingEmptySubsequences: false)
    guard halves.count == 2, halves[0].utf8.count == 8, halves[1].utf8.count == 4,
      halves.joined().utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let bits = UInt32(halves[0], radix: 16), let port = UInt16(halves[1], radix: 16)
    else { return nil }
    return UDPReceiver(address: IPv4Address(bits: UInt32(bigEndian: bits)), port: port)
  }
}

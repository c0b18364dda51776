// SPDX-License-Identifier: Apache-2.0

package import Inet
internal import Wire

/// What a router said of a datagram of ours that it could not pass on in one piece.
package struct PathMTUComplaint: Hashable, Sendable {
  /// Where the datagram was going, with its UDP port there.
  package let destination: SocketAddress
  /// The longest packet that the router's next link carries, in bytes with the IPv4 header.
  package let pathMTU: Int

  /// Describes a complaint.
  package init(destination: SocketAddress, pathMTU: Int) {
    self.destination = destination
    self.pathMTU = pathMTU
  }
}

extension PathMTUComplaint {
  /// No link of IPv4 that anybody should believe in carries less.
  static let pathMTUMin = 576

  /// Reads the packet of an ICMP "fragmentation needed" (RFC 792, RFC 1191, section 4); nil if it
  /// is none, or not about a datagram from or to one of `ports`.
  ///
  /// Anybody can send such a message. Most who do without having seen a datagram of ours fail here:
  /// what the message quotes must be a whole UDP datagram that may not be fragmented, that the
  /// message's receiver sent, and that is longer than what is said to fit. What is left lowers no
  /// more than what is tried next. The quoted header's checksum is not looked at, as not every
  /// router puts it right after it has counted the packet's hops down.
  init?(packet: [UInt8], ports: Set<UInt16>) {
    guard let outer = IPv4Header(packet.span), outer.protocolNumber == IPProtocol.icmp,
      !outer.isFragment
    else { return nil }
    let message = packet.span.extracting(outer.headerLength..<outer.totalLength)
    guard message.count >= ICMPLayout.quote + QuoteLayout.lengthMin,
      message[ICMPLayout.type] == ICMPLayout.unreachable,
      message[ICMPLayout.code] == ICMPLayout.fragmentationNeeded,
      InternetChecksum.fold(InternetChecksum.sum(message)) == 0xFFFF
    else { return nil }
    let pathMTU = Int(message.loadUInt16(at: ICMPLayout.nextHopMTU))
    guard
      let quoted = QuotedDatagram(
        message.extracting(droppingFirst: ICMPLayout.quote), sender: outer.destination),
      ports.contains(quoted.sourcePort) || ports.contains(quoted.destination.port),
      pathMTU >= Self.pathMTUMin, pathMTU < quoted.totalLength
    else { return nil }
    self.init(destination: quoted.destination, pathMTU: pathMTU)
  }
}

/// The beginning of a datagram, as a router quotes it.
private struct QuotedDatagram {
  let totalLength: Int
  let sourcePort: UInt16
  let destination: SocketAddress

  /// Takes a quote, which has at least an IPv4 header and the eight bytes after it, of a UDP
  /// datagram in one piece from `sender`.
  init?(_ quote: Span<UInt8>, sender: IPv4Address) {
    guard quote.count >= QuoteLayout.lengthMin else { return nil }
    let headerLength = Int(quote[0] & 0xF) * 4
    guard quote[0] >> 4 == 4, headerLength >= IPv4Header.minimumLength,
      quote.count >= headerLength + UDPHeader.headerLength,
      // May not be fragmented, and is not.
      quote.loadUInt16(at: QuoteLayout.flagsAndOffset) & QuoteLayout.pieceMask
        == QuoteLayout.dontFragment,
      quote[QuoteLayout.protocolNumber] == IPProtocol.udp,
      quote.loadIPv4Address(at: QuoteLayout.source) == sender
    else { return nil }
    let totalLength = Int(quote.loadUInt16(at: QuoteLayout.totalLength))
    let datagram = quote.extracting(droppingFirst: headerLength)
    let address = quote.loadIPv4Address(at: QuoteLayout.destination)
    let port = datagram.loadUInt16(at: 2)
    guard Int(datagram.loadUInt16(at: 4)) == totalLength - headerLength, address.isUnicast, port > 0
    else { return nil }
    self.totalLength = totalLength
    sourcePort = datagram.loadUInt16(at: 0)
    destination = SocketAddress(address, port: port)
  }
}

/// Offsets and numbers in an ICMP message (RFC 792).
private enum ICMPLayout {
  static let type = 0
  static let code = 1
  static let nextHopMTU = 6
  static let quote = 8

  static let unreachable: UInt8 = 3
  static let fragmentationNeeded: UInt8 = 4
}

/// Offsets and bits in the quoted IPv4 header, which has not all of its packet behind it.
private enum QuoteLayout {
  static let totalLength = 2
  static let flagsAndOffset = 6
  static let protocolNumber = 9
  static let source = 12
  static let destination = 16
  static let lengthMin = IPv4Header.minimumLength + UDPHeader.headerLength

  static let dontFragment: UInt16 = 0x4000
  /// All but the bit that is reserved.
  static let pieceMask: UInt16 = 0x7FFF
}

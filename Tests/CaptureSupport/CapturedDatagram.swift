// SPDX-License-Identifier: Apache-2.0

public import Inet

/// A UDP datagram.
public struct CapturedDatagram: Sendable {
  /// When its last part was seen, since the first frame.
  public let microseconds: Int
  /// Who sent it.
  public let source: SocketAddress
  /// Whom it is for.
  public let destination: SocketAddress
  /// Whether it must not be fragmented.
  public let dontFragment: Bool
  /// Whether it came in several packets.
  public let wasFragmented: Bool
  /// The checksum as it was sent; 0: none.
  public let checksum: UInt16
  /// What follows the UDP header.
  public let payload: [UInt8]

  /// Nil unless `bytes`, all that followed the IPv4 header, are a whole datagram.
  private init?(_ last: CapturedPacket, _ bytes: [UInt8]) {
    guard bytes.count >= 8, (8...bytes.count).contains(number(bytes, 4, 2)) else { return nil }
    microseconds = last.microseconds
    source = SocketAddress(last.source, port: UInt16(number(bytes, 0, 2)))
    destination = SocketAddress(last.destination, port: UInt16(number(bytes, 2, 2)))
    dontFragment = last.dontFragment
    wasFragmented = last.isFragment
    checksum = UInt16(number(bytes, 6, 2))
    payload = Array(bytes[8..<number(bytes, 4, 2)])
  }

  private struct Key: Hashable {
    let source: IPv4Address
    let destination: IPv4Address
    let identification: UInt16
  }

  static func reassembled(from packets: [CapturedPacket]) -> [CapturedDatagram] {
    var fragments: [Key: [CapturedPacket]] = [:]
    return packets.compactMap { packet in
      guard packet.protocolNumber == 17 else { return nil }
      guard packet.isFragment else { return CapturedDatagram(packet, packet.payload) }
      let key = Key(
        source: packet.source, destination: packet.destination,
        identification: packet.identification)
      fragments[key, default: []].append(packet)
      guard let bytes = joined(fragments[key, default: []]) else { return nil }
      fragments[key] = nil
      return CapturedDatagram(packet, bytes)
    }
  }

  /// The whole payload, or nil while some of it is missing.
  private static func joined(_ parts: [CapturedPacket]) -> [UInt8]? {
    let sorted = parts.sorted { $0.fragmentOffset < $1.fragmentOffset }
    guard sorted.last?.hasMoreFragments == false else { return nil }
    var bytes: [UInt8] = []
    for part in sorted {
      guard part.fragmentOffset == bytes.count else { return nil }
      bytes += part.payload
    }
    return bytes
  }
}

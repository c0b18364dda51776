// SPDX-License-Identifier: Apache-2.0

import Inet
import XDP

/// A frame on the outer network, whose every field can be made wrong.
struct OuterFrame {
  var destinationMAC: [UInt8] = [2, 0, 0, 0, 0, 1]
  var tags: [UInt8] = []
  var etherType: UInt16 = 0x0800
  var version: UInt8 = 4
  var headerLength: Int?
  var options: [UInt8] = []
  var totalLength: Int?
  /// Flags and offset as on the wire: 0x4000 is don't fragment, 0x2000 more fragments.
  var fragment: UInt16 = 0x4000
  var protocolNumber: UInt8 = 17
  var source = ours.address.neighbour
  var destination = ours.address
  var sourcePort: UInt16 = 49152
  var destinationPort = ours.port
  var payload = [UInt8](repeating: 0x5A, count: 50)

  /// The overlay address that the tests set.
  static let ours = OverlayAddress(address: IPv4Address(bits: 0xC000_0201), port: 6784)

  var bytes: [UInt8] {
    var ip: [UInt8] = [version << 4 | UInt8((headerLength ?? 20 + options.count) / 4), 0]
    ip += octets(UInt16(totalLength ?? 28 + options.count + payload.count))
    ip += [0, 1] + octets(fragment) + [64, protocolNumber, 0, 0]
    ip += octets(source.bits) + octets(destination.bits) + options
    ip.replaceSubrange(10..<12, with: octets(~onesSum(ip)))
    let udp = octets(sourcePort) + octets(destinationPort)
    // A UDP checksum of zero says that there is none (RFC 768).
    return destinationMAC + [2, 0, 0, 0, 0, 2] + tags + octets(etherType) + ip + udp
      + octets(UInt16(8 + payload.count)) + [0, 0] + payload
  }
}

extension IPv4Address {
  /// The next address.
  var neighbour: IPv4Address { IPv4Address(bits: bits + 1) }
}

private func octets(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
  stride(from: value.bitWidth - 8, through: 0, by: -8).map {
    UInt8(truncatingIfNeeded: value >> $0)
  }
}

/// The sum of RFC 1071, before it is complemented.
private func onesSum(_ bytes: [UInt8]) -> UInt16 {
  var sum: UInt32 = 0
  for index in stride(from: 0, to: bytes.count - 1, by: 2) {
    sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
  }
  while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
  return UInt16(sum)
}

// SPDX-License-Identifier: Apache-2.0

public import Inet

/// An IPv4 packet, or a fragment of one.
public struct CapturedPacket: Sendable {
  /// When it was seen, since the first frame.
  public let microseconds: Int
  /// Who sent it.
  public let source: IPv4Address
  /// Whom it is for.
  public let destination: IPv4Address
  /// 6 for TCP, 17 for UDP.
  public let protocolNumber: UInt8
  /// What all fragments of a packet have in common.
  public let identification: UInt16
  /// Whether it must not be fragmented.
  public let dontFragment: Bool
  /// Whether another fragment follows.
  public let hasMoreFragments: Bool
  /// Where the payload belongs in the whole packet's, in bytes.
  public let fragmentOffset: Int
  /// What follows the IPv4 header.
  public let payload: [UInt8]

  /// Whether it is a part of a packet only.
  public var isFragment: Bool { hasMoreFragments || fragmentOffset > 0 }

  /// The packet in an untagged frame; nil if it is no IPv4.
  public init?(_ frame: Capture.Frame) {
    let bytes = frame.bytes
    guard bytes.count >= 34, bytes[12] == 8, bytes[13] == 0, bytes[14] >> 4 == 4 else {
      return nil
    }
    let length = Int(bytes[14] & 15) * 4
    let total = number(bytes, 16, 2)
    guard length >= 20, length <= total, 14 + total <= bytes.count else { return nil }
    microseconds = frame.microseconds
    identification = UInt16(number(bytes, 18, 2))
    dontFragment = bytes[20] & 0x40 != 0
    hasMoreFragments = bytes[20] & 0x20 != 0
    fragmentOffset = (number(bytes, 20, 2) & 0x1FFF) * 8
    protocolNumber = bytes[23]
    source = IPv4Address(bits: UInt32(number(bytes, 26, 4)))
    destination = IPv4Address(bits: UInt32(number(bytes, 30, 4)))
    payload = Array(bytes[14 + length..<14 + total])
  }
}

/// `count` bytes as a number, the first the most significant.
func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
  bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
}

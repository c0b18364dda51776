// SPDX-License-Identifier: Apache-2.0

import Inet
import Wire

/// The traffic of a live scenario: one sender, a few receivers, many flows.
///
/// Competitors see the same frames in the same order.
struct Flows: Sendable {
  /// Bytes of a frame, without its frame check sequence.
  let size: Int

  /// The sending station.
  static let source = MACAddress(bits: 0x02_00_00_00_00_01)
  /// The receiving stations.
  static let destinations = (0..<16).map { MACAddress(bits: 0x02_00_00_00_01_00 + UInt64($0)) }
  /// Frames that differ.
  static let count = 512

  private static let sourceAddress = IPv4Address(bits: 0x0A20_0001)

  /// Bytes of the headers in front of a frame's payload.
  static let headersLength = 14 + 20 + 8

  /// Writes the frame of flow `number` into `bytes`, which has `size` bytes.
  @_lifetime(bytes: copy bytes)
  func write(_ number: Int, into bytes: inout MutableSpan<UInt8>) {
    let destination = Flows.destinations[number % Flows.destinations.count]
    EthernetFields(destination: destination, source: Flows.source, etherType: .ipv4)
      .encode(into: &bytes)
    IPv4Fields(
      source: Flows.sourceAddress,
      destination: IPv4Address(bits: 0x0A20_0100 + UInt32(number % Flows.destinations.count)),
      protocolNumber: 17, payloadLength: size - 14 - 20
    ).encode(into: &bytes, at: 14)
    UDPFields(
      sourcePort: UInt16(10_000 + number), destinationPort: 9, length: UInt16(size - 14 - 20)
    ).encode(into: &bytes, at: 34)
    for index in Flows.headersLength..<size { bytes[index] = UInt8(truncatingIfNeeded: index) }
  }

  /// Whether these are the bytes of one of the flows.
  func contains(_ frame: [UInt8]) -> Bool {
    guard frame.count == size else { return false }
    let number = Int(frame[34]) << 8 + Int(frame[35]) - 10_000
    guard 0..<Flows.count ~= number else { return false }
    var expected = [UInt8](repeating: 0, count: size)
    var bytes = expected.mutableSpan
    write(number, into: &bytes)
    return frame == expected
  }
}

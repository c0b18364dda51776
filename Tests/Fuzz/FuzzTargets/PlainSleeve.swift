// SPDX-License-Identifier: Apache-2.0

import Inet
import Wire

/// Sleeve's records as their definition puts them, to compare `SleeveRecords` with.
enum PlainSleeve {
  /// A record and its frame.
  struct Record: Equatable {
    let source: UInt64
    let destination: UInt64
    let frame: [UInt8]
  }

  /// The whole records at the start, and whether nothing is left behind them.
  static func records(_ bytes: [UInt8]) -> (records: [Record], isWhole: Bool) {
    var records: [Record] = []
    var rest = bytes[...]
    while rest.count >= 14 {
      let header = Array(rest.prefix(14))
      let length = Int(plain(header, 12, 2))
      guard rest.count >= 14 + length else { break }
      let frame = Array(rest.dropFirst(14).prefix(length))
      records.append(
        Record(source: plain(header, 0, 6), destination: plain(header, 6, 6), frame: frame))
      rest = rest.dropFirst(14 + length)
    }
    return (records, rest.isEmpty)
  }

  /// The same, found by the product.
  static func found(_ bytes: [UInt8]) -> (records: [Record], isWhole: Bool) {
    var cursor = SleeveRecords(bytes.span)
    var records: [Record] = []
    while let record = cursor.next() {
      records.append(
        Record(
          source: record.source.bits, destination: record.destination.bits,
          frame: Array(bytes[record.frame])))
    }
    return (records, !cursor.isMalformed)
  }

  /// What two sleeves say to each other in place of a frame.
  static func special(_ frame: [UInt8]) -> SleeveSpecialFrame? {
    guard frame.count >= 14, frame.prefix(14).allSatisfy({ $0 == 0 }) else { return nil }
    switch frame.count {
    case 22: return .heartbeat(connectionUID: plain(frame, 14, 8))
    case 60_001:
      return frame.allSatisfy { $0 == 0 } ? .fragmentationTest : .damagedFragmentationTest
    default: return .mtuTest(mtu: UInt16(frame.count - 14))
    }
  }
}

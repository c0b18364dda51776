// SPDX-License-Identifier: Apache-2.0

internal import Inet

/// Test frames of one length: made, and known again when they arrive.
///
/// After the Ethernet header come the test's cookie, the frame's number, and bytes that follow from
/// both.
struct TestFrames {
  let length: Int
  private let header: [UInt8]
  private let filling: [UInt8]
  private var number: UInt64 = 0
  /// The numbers that were sent and have not arrived.
  private var awaited: Set<UInt64> = []
  private var burst: [UInt8] = []
  private var firstNumber: UInt64 = 0

  /// The shortest frame that holds header, cookie and number; Ethernet pads no shorter ones here.
  static let lengthMin = 64
  /// "Local experimental" (IEEE 802-2014, table 8): nobody acts on it.
  static let etherType: [UInt8] = [0x88, 0xB5]

  init(_ test: SelfTest, length: Int) {
    precondition(length >= TestFrames.lengthMin, "header, cookie and number have room")
    self.length = length
    header =
      TestFrames.octets(test.destination.bits, 6) + TestFrames.octets(test.source.bits, 6)
      + TestFrames.etherType + TestFrames.octets(test.cookie, 8)
    filling = (0..<length).map {
      UInt8(truncatingIfNeeded: test.cookie >> UInt64($0 & 31)) &+ UInt8(truncatingIfNeeded: $0)
    }
  }

  /// The next `count` frames, one after the other; only these are expected from now on.
  mutating func next(_ count: Int) -> [UInt8] {
    firstNumber = number
    burst.removeAll(keepingCapacity: true)
    for _ in 0..<count {
      let start = burst.count
      burst += header
      burst += TestFrames.octets(number, 8)
      burst += filling.suffix(length - (burst.count - start))
      number += 1
    }
    awaited = Set(firstNumber..<number)
    return burst
  }

  /// The expected frames that have arrived.
  var arrivedCount: Int { Int(number - firstNumber) - awaited.count }

  /// Notes an arrived frame, if it is one of ours and whole.
  mutating func note(_ frame: [UInt8]) {
    guard frame.count == length, frame.starts(with: header) else { return }
    let number = frame[header.count..<header.count + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard awaited.contains(number) else { return }
    let start = Int(number - firstNumber) * length
    guard Array(burst[start..<start + length]) == frame else { return }
    awaited.remove(number)
  }

  private static func octets(_ bits: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * (count - 1 - $0))) }
  }
}

// SPDX-License-Identifier: Apache-2.0

// Each file mirrors one of `Sources/Wire` and has the same five parts: a golden frame decoded,
// encoded back, random values round trip, truncations, random bytes.
//
// Views cannot leave a function, so each file starts with one that reads every field of a view
// into the value. It also calls every accessor, so that a trap in any of them would show.

import Inet
import TestSupport

/// Random bytes without any structure would fail the first check nearly always; these start with
/// `prefix`, in which up to three bytes are then changed.
func plausible(_ prefix: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
  var bytes = prefix
  for _ in 0..<generator.number(below: 4) where !bytes.isEmpty {
    let index = generator.number(below: bytes.count)
    bytes[index] = UInt8(truncatingIfNeeded: generator.next())
  }
  bytes.removeLast(generator.number(below: 5) == 0 ? generator.number(below: bytes.count + 1) : 0)
  return bytes
}

/// Calls `parse` with 100,000 strings, half of them near `golden`; that it returns is the test.
func hammer(seed: UInt64, golden: [UInt8], _ parse: ([UInt8]) -> Void) {
  var generator = SeededGenerator(seed: seed)
  for _ in 0..<50_000 {
    parse(generator.bytes(generator.number(below: 80)))
    parse(plausible(golden, &generator))
  }
}

extension MACAddress {
  static func random(_ generator: inout SeededGenerator) -> MACAddress {
    MACAddress(bits: generator.next())
  }
}

extension IPv4Address {
  static func random(_ generator: inout SeededGenerator) -> IPv4Address {
    IPv4Address(bits: UInt32(truncatingIfNeeded: generator.next()))
  }
}

extension SeededGenerator {
  mutating func uint16() -> UInt16 { UInt16(truncatingIfNeeded: next()) }
  mutating func uint8() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
  mutating func bool() -> Bool { next() & 1 == 0 }
}

// SPDX-License-Identifier: Apache-2.0

/// SplitMix64: a small generator whose whole run follows from one number.
public struct SeededGenerator: RandomNumberGenerator, Sendable, CustomStringConvertible {
  /// What the generator was made of.
  public let seed: UInt64
  private var state: UInt64

  /// Starts a sequence; equal seeds give equal sequences.
  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// That many random bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 7)
    while bytes.count < count {
      let word = next()
      for shift in stride(from: 0, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// A number below `bound`, which is above 0.
  public mutating func number(below bound: Int) -> Int {
    Int(next() % UInt64(bound))
  }

  /// The seed, for the message of a failing test.
  public var description: String { "seed \(seed)" }
}

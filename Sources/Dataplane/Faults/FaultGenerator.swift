// SPDX-License-Identifier: Apache-2.0

internal import Forwarding

/// Random numbers for faults: one word of state, the same numbers for the same seed everywhere.
///
/// SplitMix64: a counter with an odd step, whose bits are mixed by two multiplications.
struct FaultGenerator: BitwiseCopyable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  @inline(__always)
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  /// A number below `bound`, which is above 0.
  ///
  /// The high half of a product, without a division; some numbers come up more often than others,
  /// by one in 2³² at most.
  @inline(__always)
  mutating func number(below bound: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: ((next() >> 32) &* UInt64(bound)) >> 32)
  }

  /// Whether something with this rate happens now; a rate of 0 takes no number.
  @inline(__always)
  mutating func happens(_ rate: UInt32) -> Bool {
    rate > 0 && number(below: FaultSettings.scale) < rate
  }
}

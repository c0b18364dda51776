// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Tables

/// A worker's end of the hint ring, with a memory of what it said lately.
///
/// Until the control plane has published a snapshot that knows a station, every frame of it would
/// bring the same hint. A small direct-mapped table keeps those apart; it forgets with every
/// snapshot, so a hint that came to nothing is repeated.
public struct HintSender: ~Copyable {
  private var ring: ProducerRing<Hint>
  /// What was said under `generation`, by the low bits of the hash.
  private var said = [128 of UInt64](repeating: 0)
  private var generation: UInt64 = 0

  /// Hints appended since `takeCounts()`.
  private var sentCount: UInt64 = 0
  private var lostCount: UInt64 = 0

  /// Reports through `ring`.
  public init(ring: consuming ProducerRing<Hint>) {
    self.ring = ring
  }

  @inline(__always)
  mutating func send(_ hint: Hint, in generation: UInt64) {
    if generation != self.generation {
      self.generation = generation
      said = .init(repeating: 0)
    }
    let saying = (hint.mac | 1 << 63) ^ UInt64(hint.location.bits) << 32
    let slot = Int(truncatingIfNeeded: (saying &* 0x9E37_79B9_7F4A_7C15) >> 57)
    guard said[slot] != saying else { return }
    if ring.append(hint) {
      said[slot] = saying
      sentCount &+= 1
    } else {
      lostCount &+= 1
    }
  }

  /// Hands new hints over; returns how many were sent and how many found no room.
  @inline(__always)
  mutating func publish() -> (sent: UInt64, lost: UInt64) {
    guard sentCount | lostCount != 0 else { return (0, 0) }
    let counts = (sentCount, lostCount)
    ring.publish()
    sentCount = 0
    lostCount = 0
    return counts
  }
}

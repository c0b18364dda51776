// SPDX-License-Identifier: Apache-2.0

/// Which gossip was seen within the last gossip interval (wire notes, section 8.3).
///
/// Of channels that we only pass on, so that it does not travel in circles; of our own, because
/// peers that agree say the same, and reading all of a large mesh takes long.
struct SeenPayloads: Sendable {
  /// Payloads that are remembered at most; the oldest are forgotten first.
  static let countMax = 4096

  // A payload is known by its hash, which nobody can foresee: each process draws its own key.
  private var known: Set<Int> = []
  private var order: [(hash: Int, seenAt: MeshInstant)] = []
  private var first = 0

  /// How many are remembered.
  var count: Int { known.count }

  /// Remembers a payload; false if it was seen within the last gossip interval.
  mutating func insert(_ payload: [UInt8], channel: String, now: MeshInstant) -> Bool {
    forget(before: now)
    let hash = Self.hash(payload, channel)
    guard known.insert(hash).inserted else { return false }
    order.append((hash, now))
    if known.count > Self.countMax { forgetFirst() }
    return true
  }

  /// Whether a payload was seen within the last gossip interval.
  mutating func contains(_ payload: [UInt8], channel: String, now: MeshInstant) -> Bool {
    forget(before: now)
    return known.contains(Self.hash(payload, channel))
  }

  /// Eight bytes at a time, as payloads of a large mesh have megabytes.
  private static func hash(_ payload: [UInt8], _ channel: String) -> Int {
    var hasher = Hasher()
    hasher.combine(channel)
    hasher.combine(payload.count)
    var word: UInt64 = 0
    for (index, byte) in payload.enumerated() {
      word = word << 8 | UInt64(byte)
      if index & 7 == 7 { hasher.combine(word) }
    }
    hasher.combine(word)
    return hasher.finalize()
  }

  private mutating func forget(before now: MeshInstant) {
    while first < order.count, order[first].seenAt.duration(to: now) >= MeshTiming.gossip {
      forgetFirst()
    }
  }

  private mutating func forgetFirst() {
    known.remove(order[first].hash)
    first += 1
    if first > Self.countMax {
      order.removeFirst(first)
      first = 0
    }
  }
}

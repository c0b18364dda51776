// SPDX-License-Identifier: Apache-2.0

/// Which gossip was seen a short time ago: on channels that we only pass on, so that it does not
/// travel in circles (wire notes, section 8.3), on others, so that it is not decoded again.
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
    let hash = Self.hash(payload, channel: channel)
    guard known.insert(hash).inserted else { return false }
    order.append((hash, now))
    if known.count > Self.countMax { forgetFirst() }
    return true
  }

  /// Whether a payload was seen within the last gossip interval.
  mutating func contains(_ payload: [UInt8], channel: String, now: MeshInstant) -> Bool {
    forget(before: now)
    return known.contains(Self.hash(payload, channel: channel))
  }

  private static func hash(_ payload: [UInt8], channel: String) -> Int {
    var hasher = Hasher()
    hasher.combine(channel)
    hasher.combine(payload)
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

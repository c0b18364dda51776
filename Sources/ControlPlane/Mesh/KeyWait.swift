// SPDX-License-Identifier: Apache-2.0

internal import Mesh

/// What neighbours are to be told of keys waits for: a snapshot that has them, and every worker to
/// read it.
///
/// A worker that still has an older snapshot would drop what is sealed with a key that came with
/// the newer one. Without such a snapshot the wait has no end, as the keys before stay in use; for
/// workers, and for the underlay's program to know the SPIs, it lasts `limit` at most.
struct KeyWait {
  /// How long workers are waited for.
  static let limit = Duration.seconds(5)
  /// How long until it is looked again whether they have read.
  static let pause = Duration.milliseconds(5)

  /// How far it is.
  enum State: Equatable {
    case waiting
    /// Every worker has read the snapshot.
    case over
    /// It took too long; a sentence for people.
    case late(String)
  }

  /// The first snapshot with all of the keys; nil: there is none yet.
  private(set) var generation: UInt64?
  /// Since when there is one with the first of them.
  private var publishedAt: MeshInstant?
  /// Whether somebody will look at it in a moment.
  var isLookDue = false

  /// There are new keys, which no snapshot has.
  mutating func begin() { generation = nil }

  /// A snapshot has all keys there are; whether that is news.
  mutating func publish(_ generation: UInt64, now: MeshInstant) -> Bool {
    guard self.generation == nil else { return false }
    self.generation = generation
    publishedAt = publishedAt ?? now
    return true
  }

  /// How far it is when no worker reads anything older than `oldestRead`.
  func state(oldestRead: UInt64, areIdentifiersTold: Bool, now: MeshInstant) -> State {
    guard let generation, let publishedAt else { return .waiting }
    let isRead = generation <= oldestRead
    if isRead && areIdentifiersTold { return .over }
    guard publishedAt.duration(to: now) >= Self.limit else { return .waiting }
    return .late(
      isRead
        ? "the underlay's program does not know which sealed packets are ours"
        : "a worker has not looked at the tables for \(Self.limit.components.seconds) s;"
          + " look at the load of its core")
  }
}

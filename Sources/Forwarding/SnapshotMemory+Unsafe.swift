// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
public import Tables

/// The memory both sides of a snapshot look at.
///
/// The first page holds the publication word (the number of the root page) and, a cache line apart,
/// one word for each worker: the generation it has reached, or 0 while it sleeps. The pages behind
/// are the arena's. A second mapping holds one seen mark for each table entry; it is apart because
/// workers write it and the snapshot never changes.
///
/// Proof of safety: both mappings live as long as this object; workers' numbers and entries are
/// checked where they enter.
@safe
public final class SnapshotMemory: @unchecked Sendable {
  /// Pages of the snapshot.
  public let pages: MappedMemory
  private let marks: MappedMemory
  /// Entries that can be marked as seen.
  public let entryCountMax: Int

  /// Workers that can read the snapshots in one memory.
  public static var workerCountMax: Int { 63 }

  /// Maps room for `pageCount` pages and `entryCountMax` seen marks; untouched pages cost nothing.
  public init(pageCount: Int, entryCountMax: Int) throws(MemoryError) {
    pages = try MappedMemory(length: pageCount * MappedMemory.pageLength, name: "weft-snapshot")
    marks = try MappedMemory(length: entryCountMax, name: "weft-seen")
    self.entryCountMax = entryCountMax
  }

  var publication: UnsafeMutablePointer<UInt64> {
    unsafe pages.base.assumingMemoryBound(to: UInt64.self)
  }

  func reached(worker: Int) -> UnsafeMutablePointer<UInt64> {
    precondition(worker >= 0 && worker < SnapshotMemory.workerCountMax, "a worker's number")
    return unsafe (pages.base + 64 * (worker + 1)).assumingMemoryBound(to: UInt64.self)
  }

  var seenMarks: UnsafeMutablePointer<UInt8> {
    unsafe marks.base.assumingMemoryBound(to: UInt8.self)
  }

  /// Takes an entry's seen mark away and says whether it was there.
  public func takeMark(entry: UInt32) -> Bool {
    precondition(Int(entry) < entryCountMax, "an entry with a mark")
    let mark = unsafe seenMarks + Int(entry)
    guard unsafe cintrinsics_load_relaxed_8(mark) != 0 else { return false }
    unsafe cintrinsics_store_relaxed_8(mark, 0)
    return true
  }

  /// Whether a worker sleeps, or has ended.
  public func isOffline(worker: Int) -> Bool {
    unsafe cintrinsics_load_relaxed_64(reached(worker: worker)) == 0
  }

  /// The oldest generation a worker that is awake may still read; nil if all of them sleep.
  ///
  /// The fence makes a worker that went online before our publication visible, or makes it see the
  /// publication; `SnapshotReader.goOnline()` has the other half.
  func oldestReached() -> UInt64? {
    cintrinsics_fence_full()
    var oldest: UInt64?
    for worker in 0..<SnapshotMemory.workerCountMax {
      let generation = unsafe cintrinsics_load_acquire_64(reached(worker: worker))
      guard generation != 0 else { continue }
      oldest = min(oldest ?? generation, generation)
    }
    return oldest
  }
}

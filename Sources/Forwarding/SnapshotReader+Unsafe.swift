// SPDX-License-Identifier: Apache-2.0

public import CIntrinsics
public import Tables

/// A worker's view of the published snapshots.
///
/// Between `goOnline()` and `goOffline()` the worker calls `refresh()` once a breath; each call
/// declares that nothing older than what it returns is used any more. Before it may sleep it goes
/// offline, so that a sleeper never holds reclamation back.
///
/// Proof of safety: `memory` is held; the publication word always names a complete root page, and
/// the pages under a root are not reused while this worker's word is at or below its generation.
@safe
public struct SnapshotReader: ~Copyable {
  private let memory: SnapshotMemory
  @usableFromInline let base: UnsafeRawPointer
  /// Only the control plane writes this word.
  @usableFromInline let publication: UnsafePointer<UInt64>
  /// Only this worker writes this word.
  @usableFromInline let reached: UnsafeMutablePointer<UInt64>
  /// Workers set these bytes, the control plane clears them.
  @usableFromInline let marks: UnsafeMutablePointer<UInt8>

  /// The view of worker number `worker`, of which there is one at a time.
  ///
  /// Starts offline.
  ///
  /// A snapshot must have been published before.
  public init(memory: SnapshotMemory, worker: Int) {
    self.memory = memory
    unsafe base = UnsafeRawPointer(memory.pages.base)
    unsafe publication = UnsafePointer(memory.publication)
    unsafe reached = memory.reached(worker: worker)
    unsafe marks = memory.seenMarks
    unsafe cintrinsics_store_release_64(memory.reached(worker: worker), 0)
  }

  /// From here on this worker reads snapshots.
  ///
  /// 1 is older than anything reclaimable, so nothing is reused until the first `refresh()`.
  @inlinable
  public func goOnline() {
    unsafe cintrinsics_store_release_64(reached, 1)
    cintrinsics_fence_full()
  }

  /// This worker reads no snapshot until it goes online again.
  @inlinable
  public func goOffline() {
    unsafe cintrinsics_store_release_64(reached, 0)
  }

  /// The newest snapshot; older ones are given up.
  ///
  /// One acquire load, one release store.
  @inlinable
  public func refresh() -> ForwardingSnapshot {
    let page = unsafe cintrinsics_load_acquire_64(publication)
    let root = unsafe (base + Int(page) &* 4096).assumingMemoryBound(to: SnapshotRoot.self)
    let generation = unsafe root.pointee.generation
    unsafe cintrinsics_store_release_64(reached, generation)
    let witness = unsafe PageWitness(
      base: base, root: UInt32(truncatingIfNeeded: page), generation: generation)
    return unsafe ForwardingSnapshot(base: base, root: root, witness: witness)
  }

  /// Notes that the station with this entry sent a frame.
  ///
  /// Writes only if the mark is not there, so that workers do not take the line from each other.
  @inlinable
  public func mark(entry: UInt32) {
    let mark = unsafe marks + Int(entry)
    if unsafe cintrinsics_load_relaxed_8(mark) == 0 {
      unsafe cintrinsics_store_relaxed_8(mark, 1)
    }
  }
}

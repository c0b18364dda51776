// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Tables
internal import Wire
internal import XDP

/// A worker's frames: chunks of 4 KiB, those that are free, and who has the others.
///
/// Free chunks are reused last in, first out, so that a small set of them stays in the cache. The
/// kernel may have a chunk on a fill, RX, TX or completion ring; `owner` remembers for which queue,
/// so that closing a socket gives every one of them back.
///
/// Proof of safety: `base` is mapped as long as `memory` is held; addresses come from the free
/// list, or from descriptors whose ranges are checked by `contains`; chunk numbers derived from
/// them are below `chunkCount`, and so are successors, which are numbers of chunks that made up one
/// frame. The free list never outgrows `chunkCount`, which `give` checks.
@safe
public struct FrameMemory: ~Copyable {
  /// No queue has the chunk: it is free, or a breath is working on it.
  static var nobody: UInt16 { .max }

  private let memory: MappedMemory
  let base: UnsafeMutableRawPointer
  /// Chunks in all.
  public let chunkCount: Int
  /// Free chunks below which no fill ring grows.
  let fillFloor: Int
  /// The first `freeCount` entries are the chunks' numbers.
  private let free: UnsafeMutablePointer<UInt32>
  private let owner: UnsafeMutablePointer<UInt16>
  /// By chunk: the one with the frame's next piece; of no meaning for the last.
  let successors: UnsafeMutablePointer<UInt32>
  /// Chunks that can be taken.
  public private(set) var freeCount: Int

  /// All chunks of `memory`, free.
  public init(memory: MappedMemory) {
    self.memory = memory
    unsafe base = memory.base
    chunkCount = memory.length / UMEM.chunkLength
    fillFloor = FrameBudget.floor(of: chunkCount)
    unsafe free = .allocate(capacity: chunkCount)
    unsafe owner = .allocate(capacity: chunkCount)
    unsafe successors = .allocate(capacity: chunkCount)
    unsafe successors.initialize(repeating: 0, count: chunkCount)
    unsafe owner.initialize(repeating: FrameMemory.nobody, count: chunkCount)
    for chunk in 0..<chunkCount {
      unsafe (free + chunk).initialize(to: UInt32(chunkCount - 1 - chunk))
    }
    freeCount = chunkCount
  }

  deinit {
    unsafe free.deallocate()
    unsafe owner.deallocate()
    unsafe successors.deallocate()
  }

  /// The address of a free chunk's first byte, or nil if there is none.
  @inline(__always)
  public mutating func take() -> UInt32? {
    guard freeCount > 0 else { return nil }
    freeCount &-= 1
    return unsafe free[freeCount] &* UInt32(UMEM.chunkLength)
  }

  /// Makes the chunk with this address free.
  @inline(__always)
  public mutating func give(_ address: UInt32) {
    precondition(freeCount < chunkCount, "a chunk is given back once")
    let chunk = address / UInt32(UMEM.chunkLength)
    unsafe owner[Int(chunk)] = FrameMemory.nobody
    unsafe free[freeCount] = chunk
    freeCount &+= 1
  }

  /// Makes all chunks of a frame free.
  @inline(__always)
  public mutating func give(_ frame: Frame) {
    guard frame.length <= Frame.surelyWholeLengthMax else { return giveLong(frame) }
    give(frame.address)
  }

  /// Puts up to `count` free chunks on a fill ring of the queue in `slot`, as far as there are some
  /// and the ring has room.
  @inline(__always)
  mutating func take(upTo count: UInt32, for slot: UInt16, onto ring: inout ProducerRing<UInt64>) {
    let free = freeCount
    let taken = min(ring.room(for: count), UInt32(clamping: free))
    let entries = unsafe ring.upcoming
    let (numbers, owners) = unsafe (self.free, owner)
    for place in 0..<Int(taken) {
      let chunk = unsafe numbers[free &- 1 &- place]
      entries[place] = UInt64(chunk) &* UInt64(UMEM.chunkLength)
      unsafe owners[Int(chunk)] = slot
    }
    freeCount = free &- Int(taken)
    ring.advance(by: taken)
  }

  /// Makes all chunks free that a completion ring names; returns how many.
  ///
  /// An address that leaves the memory cannot come from a sound kernel and is left out.
  @inline(__always)
  mutating func giveAll(from ring: inout ConsumerRing<UInt64>) -> Int {
    let ready = ring.ready(upTo: ring.capacity)
    let entries = unsafe ring.upcoming
    var free = freeCount
    let (numbers, owners, all) = unsafe (self.free, owner, chunkCount)
    for place in 0..<Int(ready) {
      let address = entries[place]
      guard contains(address: address, length: 0) else { continue }
      precondition(free < all, "a chunk is given back once")
      let chunk = UInt32(truncatingIfNeeded: address) / UInt32(UMEM.chunkLength)
      unsafe owners[Int(chunk)] = FrameMemory.nobody
      unsafe numbers[free] = chunk
      free &+= 1
    }
    let count = free &- freeCount
    freeCount = free
    ring.advance(by: ready)
    return count
  }

  /// Notes which queue's rings a chunk is on.
  @inline(__always)
  mutating func setOwner(of address: UInt32, _ slot: UInt16) {
    unsafe owner[Int(address / UInt32(UMEM.chunkLength))] = slot
  }

  /// Takes every chunk back that a closed queue's rings had; returns how many.
  mutating func reclaim(from slot: UInt16) -> Int {
    var count = 0
    for chunk in 0..<chunkCount where unsafe owner[chunk] == slot {
      give(UInt32(chunk * UMEM.chunkLength))
      count += 1
    }
    return count
  }

  /// Whether a descriptor lies inside one chunk.
  @inline(__always)
  func contains(address: UInt64, length: UInt32) -> Bool {
    let chunkLength = UInt64(UMEM.chunkLength)
    return address < UInt64(chunkCount) &* chunkLength
      && (address & (chunkLength &- 1)) &+ UInt64(length) <= chunkLength
  }

  /// A frame's bytes, to read; of a chain those of its head, at least
  /// `UMEM.chunkLength - Frame.headStartMax`.
  @inline(__always)
  @_lifetime(borrow self)
  public func bytes(of frame: Frame) -> Span<UInt8> {
    let start = unsafe (base + Int(frame.address)).assumingMemoryBound(to: UInt8.self)
    let span = unsafe Span(_unsafeStart: start, count: Int(frame.headLength))
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The eight bytes of a frame from `offset` on, which its head must have, the first of them
  /// lowest.
  @inline(__always)
  func word(of frame: Frame, at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset &+ 8 <= Int(frame.length), "eight bytes of the frame")
    let start = unsafe base + (Int(frame.address) &+ offset)
    return UInt64(littleEndian: unsafe start.loadUnaligned(as: UInt64.self))
  }

  /// The first words of a frame, which has as many.
  @inline(__always)
  func leadingWords(of frame: Frame) -> LeadingWords {
    LeadingWords(
      word(of: frame, at: 0), word(of: frame, at: 8), word(of: frame, at: 16),
      word(of: frame, at: 24), word(of: frame, at: 32))
  }

  /// All bytes of all chunks, to write: what lies in several chunks is sealed and opened at once.
  @inline(__always)
  var allBytes: MutableSpan<UInt8> {
    @_lifetime(&self)
    mutating get { mutableBytes(at: 0, length: chunkCount &* UMEM.chunkLength) }
  }

  /// The `length` bytes from `address` on, to write.
  @inline(__always)
  @_lifetime(&self)
  public mutating func mutableBytes(at address: UInt32, length: Int) -> MutableSpan<UInt8> {
    let start = unsafe (base + Int(address)).assumingMemoryBound(to: UInt8.self)
    let span = unsafe MutableSpan(_unsafeStart: start, count: length)
    return unsafe _overrideLifetime(span, mutating: &self)
  }
}

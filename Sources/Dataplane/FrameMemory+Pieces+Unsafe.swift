// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Tables
internal import XDP

/// One piece of a frame, and what comes after it.
///
///     var piece = memory.firstPiece(of: frame)
///     repeat { use(piece.address, piece.length) } while memory.advance(&piece)
public struct FramePiece: BitwiseCopyable, Sendable, Equatable {
  /// Where it starts, in bytes from the start of the worker's memory.
  public private(set) var address: UInt32
  /// Its bytes.
  public private(set) var length: UInt32
  /// The frame's bytes behind it.
  public private(set) var lengthBehind: UInt32
  /// The number of its chunk, also when all of it was left out.
  fileprivate let chunk: UInt32

  @inline(__always)
  fileprivate init(address: UInt32, of length: UInt32) {
    let head = Frame(address: address, length: length).headLength
    self.address = address
    self.length = head
    lengthBehind = length &- head
    chunk = address / UInt32(UMEM.chunkLength)
  }

  /// Leaves the first `count` bytes of the piece out.
  @inline(__always)
  fileprivate mutating func skip(_ count: UInt32) {
    address &+= count
    length &-= count
  }
}

/// Frames in several pieces: they are made, read, written, copied, cut and given back.
///
/// Proof of safety: a frame describes chunks of this memory that its holder owns, linked in the
/// order of its pieces, so a piece never leaves its chunk; ranges of bytes are checked against the
/// frame's length, and every walk ends with it.
extension FrameMemory {
  private static var chunkLength: UInt32 { UInt32(UMEM.chunkLength) }
  private static var headroom: UInt32 { UInt32(UMEM.headroom) }

  // MARK: Walking

  /// The first piece of a frame, which is all of it unless it is a chain.
  @inline(__always)
  public func firstPiece(of frame: Frame) -> FramePiece {
    FramePiece(address: frame.address, of: frame.length)
  }

  /// Goes on to the next piece of the frame; false if there is none.
  @inline(__always)
  public func advance(_ piece: inout FramePiece) -> Bool {
    guard piece.lengthBehind > 0 else { return false }
    let chunk = unsafe successors[Int(piece.chunk)]
    piece = FramePiece(
      address: chunk &* FrameMemory.chunkLength &+ FrameMemory.headroom, of: piece.lengthBehind)
    return true
  }

  /// Makes the chunk of one address follow that of another.
  @inline(__always)
  func link(_ address: UInt32, to following: UInt32) {
    unsafe successors[Int(address / FrameMemory.chunkLength)] = following / FrameMemory.chunkLength
  }

  /// The piece that has the byte at `offset`, from there on; the frame must have that byte.
  private func piece(of frame: Frame, at offset: Int) -> FramePiece {
    var piece = firstPiece(of: frame)
    var left = UInt32(truncatingIfNeeded: offset)
    while left >= piece.length, piece.lengthBehind > 0 {
      left &-= piece.length
      _ = advance(&piece)
    }
    piece.skip(min(left, piece.length))
    return piece
  }

  // MARK: Making and giving back

  /// Free chunks made into a frame of `length` bytes, whatever is in them, or nil if there are too
  /// few or the frame would have more than `Frame.pieceCountMax` pieces.
  ///
  /// The frame begins at `headStart` of its first chunk, which is at most `UMEM.headroom`.
  public mutating func takeChain(length: Int, headStart: Int = 256) -> Frame? {
    precondition(headStart >= 0 && headStart <= UMEM.headroom, "the head begins in the headroom")
    guard length >= 0, length <= UMEM.frameLengthMax &* Frame.pieceCountMax else { return nil }
    var frame = Frame(
      address: UInt32(truncatingIfNeeded: headStart), length: UInt32(truncatingIfNeeded: length))
    let count = frame.pieceCount
    guard freeCount >= count, let head = take() else { return nil }
    frame.address &+= head
    takeBehind(head, count: count &- 1)
    return frame
  }

  /// Links `count` free chunks, which there are, behind the one at `address`.
  private mutating func takeBehind(_ address: UInt32, count: Int) {
    var last = address
    for _ in 0..<count {
      guard let chunk = take() else { return }
      link(last, to: chunk)
      last = chunk
    }
  }

  /// Makes a frame `count` bytes longer, whatever is in them; false, with nothing done, if there
  /// are too few chunks or it would have too many pieces.
  public mutating func extend(_ frame: inout Frame, by count: Int) -> Bool {
    precondition(count >= 0, "a frame grows")
    let limit = UMEM.frameLengthMax &* Frame.pieceCountMax
    guard count <= limit &- Int(frame.length) else { return false }
    let longer = Frame(address: frame.address, length: frame.length &+ UInt32(count))
    let missing = longer.pieceCount &- frame.pieceCount
    guard longer.pieceCount <= Frame.pieceCountMax, freeCount >= missing else { return false }
    var last = firstPiece(of: frame)
    while advance(&last) {}
    takeBehind(last.address, count: missing)
    frame = longer
    return true
  }

  /// Cuts a frame's end off, so that `length` bytes are left, and gives the chunks behind back.
  public mutating func truncate(_ frame: inout Frame, to length: Int) {
    precondition(length >= 0 && length <= Int(frame.length), "a frame is cut, not made longer")
    let shorter = Frame(address: frame.address, length: UInt32(length))
    if frame.isChained {
      var piece = firstPiece(of: frame)
      for _ in 1..<shorter.pieceCount { _ = advance(&piece) }
      giveBehind(piece)
    }
    frame = shorter
  }

  /// Gives the chunks of all pieces behind this one back.
  private mutating func giveBehind(_ piece: FramePiece) {
    var piece = piece
    while advance(&piece) { give(piece.address) }
  }

  /// Makes all chunks of a frame free that may be a chain.
  ///
  /// Giving a chunk back leaves its successor alone.
  @inline(never)
  mutating func giveLong(_ frame: Frame) {
    let head = firstPiece(of: frame)
    giveBehind(head)
    give(head.address)
  }

  // MARK: Bytes

  /// Copies bytes of a frame, from `offset` on, to the beginning of `target`; as many as both have.
  ///
  /// Returns how many.
  @discardableResult
  public func read(
    _ frame: Frame, from offset: Int, into target: inout MutableSpan<UInt8>
  ) -> Int {
    let count = min(target.count, Int(frame.length) &- offset)
    guard offset >= 0, count > 0 else { return 0 }
    unsafe target.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe gather(frame, from: offset, count: count, into: start)
    }
    return count
  }

  /// Copies `source` into a frame, from `offset` on; the frame must have room for it.
  public mutating func scatter(_ source: Span<UInt8>, into frame: Frame, at offset: Int) {
    unsafe source.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe scatter(start, count: bytes.count, into: frame, at: offset)
    }
  }

  /// Copies `count` bytes of a frame, from `offset` on, to other memory; the frame must have them.
  @unsafe
  func gather(
    _ frame: Frame, from offset: Int, count: Int, into target: UnsafeMutableRawPointer
  ) {
    precondition(
      offset >= 0 && count >= 0 && count <= Int(frame.length) &- offset, "bytes of the frame")
    var piece = piece(of: frame, at: offset)
    var done = 0
    while done < count {
      let part = min(Int(piece.length), count &- done)
      unsafe memcpy(target + done, base + Int(piece.address), part)
      done &+= part
      _ = advance(&piece)
    }
  }

  /// Copies `count` bytes from other memory into a frame, which has room for them at `offset`.
  @unsafe
  mutating func scatter(
    _ source: UnsafeRawPointer, count: Int, into frame: Frame, at offset: Int
  ) {
    precondition(
      offset >= 0 && count >= 0 && count <= Int(frame.length) &- offset, "bytes of the frame")
    var piece = piece(of: frame, at: offset)
    var done = 0
    while done < count {
      let part = min(Int(piece.length), count &- done)
      unsafe memcpy(base + Int(piece.address), source + done, part)
      done &+= part
      _ = advance(&piece)
    }
  }

  /// Flips bits of the frame's byte at `offset`, which it must have.
  mutating func flip(_ bits: UInt8, of frame: Frame, at offset: Int) {
    precondition(offset >= 0 && offset < Int(frame.length), "a byte of the frame")
    let byte = unsafe base + Int(piece(of: frame, at: offset).address)
    unsafe byte.storeBytes(of: byte.load(as: UInt8.self) ^ bits, as: UInt8.self)
  }

  /// Copies `count` bytes of one frame into another, which does not share a chunk with it; both
  /// must have them.
  public mutating func copyBytes(
    of source: Frame, from offset: Int, count: Int, into target: Frame, at place: Int
  ) {
    precondition(
      offset >= 0 && count >= 0 && count <= Int(source.length) &- offset, "bytes of the frame")
    precondition(place >= 0 && count <= Int(target.length) &- place, "room in the other frame")
    var from = piece(of: source, at: offset)
    var into = piece(of: target, at: place)
    var left = UInt32(truncatingIfNeeded: count)
    while left > 0 {
      let part = min(left, from.length, into.length)
      unsafe memcpy(base + Int(into.address), base + Int(from.address), Int(part))
      left &-= part
      from.skip(part)
      into.skip(part)
      if from.length == 0 { _ = advance(&from) }
      if into.length == 0 { _ = advance(&into) }
    }
  }

  // MARK: Copies

  /// Copies a frame into free chunks behind the headroom, or returns nil if there are too few.
  public mutating func copy(_ frame: Frame) -> Frame? {
    guard frame.length <= Frame.surelyWholeLengthMax else {
      return copy(frame, from: 0, length: Int(frame.length))
    }
    guard let chunk = take() else { return nil }
    let address = chunk &+ UInt32(UMEM.headroom)
    unsafe memcpy(base + Int(address), base + Int(frame.address), Int(frame.length))
    return Frame(address: address, length: frame.length)
  }

  /// Copies `length` bytes of a frame, from `offset` on, into a frame of their own in free chunks
  /// behind the headroom, or returns nil if there are too few.
  @inline(never)
  public mutating func copy(_ frame: Frame, from offset: Int, length: Int) -> Frame? {
    guard let copy = takeChain(length: length) else { return nil }
    copyBytes(of: frame, from: offset, count: length, into: copy, at: 0)
    return copy
  }
}

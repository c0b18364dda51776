// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Tables
internal import XDP

/// What a kernel does with the four rings, for ports that have none: frames arrive, and leave.
///
/// Proof of safety: `frames` is the worker's memory, which whoever calls holds; what comes off a
/// ring is checked to lie inside of it before a byte is touched.
extension KernelRings {
  /// A frame arrives, in as many chunks from the fill ring as it needs, which go to the RX ring.
  ///
  /// False, as with a kernel, if there are too few chunks or the RX ring is too full; the frame is
  /// lost.
  mutating func receive(_ bytes: Span<UInt8>, in frames: borrowing MappedMemory) -> Bool {
    let count = max(1, (bytes.count + UMEM.frameLengthMax - 1) / UMEM.frameLengthMax)
    guard Int(receive.room(for: UInt32(count))) >= count,
      Int(fill.ready(upTo: UInt32(count))) >= count
    else { return false }
    for index in 0..<count {
      guard let chunk = fill.next() else { return false }
      let offset = index * UMEM.frameLengthMax
      let length = min(UMEM.frameLengthMax, bytes.count - offset)
      let address = Int(chunk) + UMEM.headroom
      precondition(address + length <= frames.length, "the chunk is the worker's")
      let target = unsafe frames.base + address
      unsafe bytes.withUnsafeBytes { source in
        guard let start = source.baseAddress else { return }
        unsafe memcpy(target, start + offset, length)
      }
      let piece = XDPDescriptor(
        address: UInt64(address), length: UInt32(length), isContinued: index < count - 1)
      precondition(receive.append(piece), "there is room for all of them")
    }
    fill.release()
    receive.publish()
    return true
  }

  /// Everything on the TX ring leaves, and its chunks move to the completion ring.
  ///
  /// Shows each frame, oldest first, and returns how many left; `scratch` is for those in several
  /// pieces. All pieces of a frame have to be there.
  mutating func transmit(
    in frames: borrowing MappedMemory, scratch: inout [UInt8], _ body: (Span<UInt8>) -> Void
  ) -> Int {
    var count = 0
    scratch.removeAll(keepingCapacity: true)
    while let piece = transmit.next() {
      let isLast = piece.options & XDPDescriptor.continued == 0
      let bytes = unsafe KernelRings.bytes(of: piece, in: frames)
      if !isLast || !scratch.isEmpty {
        unsafe scratch.append(contentsOf: bytes)
      }
      precondition(completion.append(piece.address), "both rings are equally long")
      guard isLast else { continue }
      if scratch.isEmpty { unsafe body(bytes.span) } else { body(scratch.span) }
      scratch.removeAll(keepingCapacity: true)
      count += 1
    }
    precondition(scratch.isEmpty, "the worker publishes whole frames")
    transmit.release()
    completion.publish()
    return count
  }

  @unsafe
  private static func bytes(
    of piece: XDPDescriptor, in frames: borrowing MappedMemory
  ) -> UnsafeBufferPointer<UInt8> {
    let end = piece.address.addingReportingOverflow(UInt64(piece.length))
    precondition(
      !end.overflow && end.partialValue <= UInt64(frames.length), "the frame is the worker's")
    let start = unsafe (frames.base + Int(piece.address)).assumingMemoryBound(to: UInt8.self)
    return unsafe UnsafeBufferPointer(start: start, count: Int(piece.length))
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Tables
internal import Telemetry
internal import XDP

/// Frames in several pieces on the rings: as many descriptors in a row, of which all but the last
/// say that the frame goes on.
extension PortQueue {
  // MARK: Receiving

  /// Draws a batch of which some frames are in several pieces; returns how many bytes.
  ///
  /// A frame whose last piece is not among the `ready` descriptors stays on the ring: what was
  /// looked at is bounded, and the rest comes first with the next breath.
  @inline(never)
  mutating func drawChains(
    _ ready: UInt32, into batch: inout Batch, memory: inout FrameMemory
  ) -> UInt64 {
    let descriptors = unsafe rings.receive.upcoming
    let end = Int(ready)
    let brokenBefore = brokenCount
    batch.count = 0
    var bytes: UInt64 = 0
    var place = skipRest(descriptors, to: end, memory: &memory)
    while place < end {
      guard let next = PortQueue.frameEnd(descriptors, from: place, to: end) else {
        if place == 0 && isEndless(end) {
          giveBack(descriptors, place..<end, memory: &memory)
          skippedOptions = XDPDescriptor.continued
          brokenCount &+= 1
          place = end
        }
        break
      }
      if let frame = join(descriptors, place..<next, memory: &memory) {
        batch.append(frame)
        bytes &+= UInt64(frame.length)
      }
      place = next
    }
    rings.receive.advance(by: UInt32(truncatingIfNeeded: place))
    counters.add(
      UInt64(brokenCount &- brokenBefore), to: PortCounter.receivedFrames.rawValue)
    return bytes
  }

  /// The place behind the last piece of the frame that begins at `place`; nil if it is not there.
  private static func frameEnd(
    _ descriptors: RingEntries<XDPDescriptor>, from place: Int, to end: Int
  ) -> Int? {
    var place = place
    while place < end {
      let isLast = descriptors[place].options & XDPDescriptor.continued == 0
      place &+= 1
      if isLast { return place }
    }
    return nil
  }

  /// Whether so many pieces without a last one are no beginning of a frame any more.
  private func isEndless(_ count: Int) -> Bool {
    count > Frame.pieceCountMax || count == Int(rings.receive.capacity)
  }

  /// Gives what is left of an endless frame back; returns the place behind it.
  private mutating func skipRest(
    _ descriptors: RingEntries<XDPDescriptor>, to end: Int, memory: inout FrameMemory
  ) -> Int {
    guard skippedOptions != 0 else { return 0 }
    let next = PortQueue.frameEnd(descriptors, from: 0, to: end)
    giveBack(descriptors, 0..<(next ?? end), memory: &memory)
    if next != nil { skippedOptions = 0 }
    return next ?? end
  }

  /// Makes the chunks of these descriptors free, but for those that leave the memory.
  private func giveBack(
    _ descriptors: RingEntries<XDPDescriptor>, _ places: Range<Int>, memory: inout FrameMemory
  ) {
    for place in places {
      let piece = descriptors[place]
      guard memory.contains(address: piece.address, length: piece.length) else { continue }
      memory.give(UInt32(truncatingIfNeeded: piece.address))
    }
  }

  /// The frame that is made up of these pieces; nil, and its chunks are free, if there is none.
  private mutating func join(
    _ descriptors: RingEntries<XDPDescriptor>, _ places: Range<Int>, memory: inout FrameMemory
  ) -> Frame? {
    let head = descriptors[places.lowerBound]
    if places.count == 1 {
      guard memory.contains(address: head.address, length: head.length) else { return nil }
      return Frame(address: UInt32(truncatingIfNeeded: head.address), length: head.length)
    }
    guard PortQueue.fillTheirChunks(descriptors, places, memory: memory) else {
      let frame = gather(descriptors, places, memory: &memory)
      giveBack(descriptors, places, memory: &memory)
      if frame == nil { brokenCount &+= 1 }
      return frame
    }
    var frame = Frame(address: UInt32(truncatingIfNeeded: head.address), length: head.length)
    var last = frame.address
    for place in places.dropFirst() {
      let piece = descriptors[place]
      let address = UInt32(truncatingIfNeeded: piece.address)
      memory.link(last, to: address)
      last = address
      frame.length &+= piece.length
    }
    return frame
  }

  /// Whether the pieces are those of a chain: all but the last end with their chunks, and all but
  /// the first begin behind the headroom.
  private static func fillTheirChunks(
    _ descriptors: RingEntries<XDPDescriptor>, _ places: Range<Int>, memory: borrowing FrameMemory
  ) -> Bool {
    guard places.count <= Frame.pieceCountMax else { return false }
    for place in places {
      let piece = descriptors[place]
      guard memory.contains(address: piece.address, length: piece.length) else { return false }
      let start = Int(piece.address) & (UMEM.chunkLength &- 1)
      let isLast = place == places.upperBound &- 1
      let isFirst = place == places.lowerBound
      guard isFirst ? start <= UMEM.headroom : start == UMEM.headroom,
        isLast ? piece.length > 0 : start &+ Int(piece.length) == UMEM.chunkLength
      else { return false }
    }
    return true
  }

  /// A copy of a frame whose pieces are cut in another way; nil if a piece leaves the memory, no
  /// frame is as long, or chunks are short.
  private func gather(
    _ descriptors: RingEntries<XDPDescriptor>, _ places: Range<Int>, memory: inout FrameMemory
  ) -> Frame? {
    var length = 0
    for place in places {
      let piece = descriptors[place]
      guard memory.contains(address: piece.address, length: piece.length) else { return nil }
      length &+= Int(piece.length)
    }
    guard let frame = memory.takeChain(length: length) else { return nil }
    var offset = 0
    for place in places {
      let piece = descriptors[place]
      let part = Frame(
        address: UInt32(truncatingIfNeeded: piece.address), length: piece.length)
      memory.copyBytes(of: part, from: 0, count: Int(part.length), into: frame, at: offset)
      offset &+= Int(part.length)
    }
    return frame
  }

  /// The frames that ended here since the last call.
  @inline(__always)
  mutating func takeBroken() -> Int {
    let count = brokenCount
    if count > 0 { brokenCount = 0 }
    return count
  }

  // MARK: Sending

  /// Puts all pieces of a frame, which may be one only, on the TX ring; false if there is no room
  /// for them.
  @inline(never)
  mutating func sendLong(_ frame: Frame, slot: UInt16, memory: inout FrameMemory) -> Bool {
    guard isMultiPiece || !frame.isChained else {
      return sendInOnePiece(frame, slot: slot, memory: &memory)
    }
    let count = frame.pieceCount
    guard Int(rings.transmit.room(for: UInt32(count))) >= count else { return false }
    let descriptors = unsafe rings.transmit.upcoming
    var piece = memory.firstPiece(of: frame)
    var place = 0
    repeat {
      descriptors[place] = XDPDescriptor(
        address: UInt64(piece.address), length: piece.length, isContinued: piece.lengthBehind > 0)
      memory.setOwner(of: piece.address, slot)
      place &+= 1
    } while memory.advance(&piece)
    rings.transmit.advance(by: UInt32(truncatingIfNeeded: place))
    unpublished &+= place
    inFlight &+= place
    counters.add(1, to: PortCounter.sentFrames.rawValue)
    counters.add(UInt64(frame.length), to: PortCounter.sentBytes.rawValue)
    return true
  }

  /// Sends a chain that fits one chunk, once it is moved, through a port that knows no others.
  private mutating func sendInOnePiece(
    _ frame: Frame, slot: UInt16, memory: inout FrameMemory
  ) -> Bool {
    guard frame.length <= UMEM.frameLengthMax, let whole = memory.copy(frame) else { return false }
    guard send(whole, slot: slot, memory: &memory) else {
      memory.give(whole)
      return false
    }
    memory.give(frame)
    return true
  }
}

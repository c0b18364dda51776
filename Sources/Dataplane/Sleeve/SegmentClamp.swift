// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Wire

/// Has TCP ask for segments that fit, where a connection is opened over the overlay.
///
/// Between two ports of this host nothing is done: there both ends know what they carry.
extension FrameMemory {
  /// Whether a frame may open a TCP connection, told by its first 48 bytes.
  @inline(__always)
  func mayBeSYN(_ frame: Frame) -> Bool {
    guard frame.length >= FrameMemory.segmentSizeFrameLengthMin else { return false }
    return leadingWords(of: frame).mayBeSYN(word(of: frame, at: LeadingWords.length))
  }

  /// Ethernet, IPv4 and TCP with an option.
  private static var segmentSizeFrameLengthMin: Int { 58 }

  /// Lowers the segment size that a TCP SYN asks for to what fits `limit`, in bytes with the
  /// Ethernet header; leaves every other frame alone.
  @inline(never)
  mutating func clampSegmentSize(of frame: Frame, to limit: UInt32) {
    let length = bytes(of: frame).count
    var head = mutableBytes(at: frame.address, length: length)
    _ = Wire.clampSegmentSize(
      of: &head, frameLength: Int(frame.length), mtu: Int(limit) &- InnerPacket.untaggedOffset)
  }
}

extension Worker {
  /// Clamps what came over the overlay for ports of this host; to be called when look-up is done.
  @inline(__always)
  mutating func clampArrivals() {
    for row in batch.rows where batch.verdicts[row].isForPort && memory.mayBeSYN(batch.frames[row])
    {
      clampArrival(batch.frames[row], to: Location(bits: batch.verdicts[row].bits).port)
    }
  }

  @inline(never)
  private mutating func clampArrival(_ frame: Frame, to port: PortIndex) {
    let slot = ports.slot(for: port)
    guard slot < PortTable.capacity else { return }
    memory.clampSegmentSize(of: frame, to: ports.frameLengthMax(of: slot))
  }
}

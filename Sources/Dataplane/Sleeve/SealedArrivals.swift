// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Sealing

/// The sealed packets of a batch while they are opened together, of ESP and of sleeve.
struct SealedArrivals: ~Copyable {
  /// What is opened, in the worker's memory.
  var packets = SealingBatch()
  /// By place in `packets`: the batch's row.
  private var rows = [64 of UInt8](repeating: 0)

  /// How many there are.
  @inline(__always)
  var count: Int { packets.count }

  /// Adds the packet in a row, which is in one chunk.
  @inline(__always)
  mutating func append(_ frame: Frame, row: Int, keys: LinkKeys) {
    var packet = SealingBatch.Packet(
      offset: frame.address, length: frame.length, key: keys.opening)
    packet.formerKey = keys.formerOpening
    rows[packets.count] = UInt8(truncatingIfNeeded: row)
    packets.append(packet)
  }

  /// The batch's row of the packet at a place.
  @inline(__always)
  func row(at place: Int) -> Int { Int(rows[place]) }

  /// Forgets all of them.
  @inline(__always)
  mutating func removeAll() { packets.removeAll() }
}

/// What opens the packets of a link.
struct LinkKeys: BitwiseCopyable {
  let opening: UInt16
  let formerOpening: UInt16

  /// None.
  init() {
    opening = FrameKeys.none
    formerOpening = FrameKeys.none
  }

  /// The keys of a link's record.
  @inline(__always)
  init(_ record: EndpointRecord) {
    opening = record.opening
    formerOpening = record.formerOpening
  }
}

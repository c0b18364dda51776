// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Sealing

/// Packets that wait to be sealed together, complete but for that, and then to be sent.
///
/// They leave in their order. Each is in one chunk.
struct SealingQueue: ~Copyable {
  /// What is to be sealed.
  private(set) var sealing = SealingBatch()
  /// The packets with all their headers, and where they go; nothing else in it is used.
  var packets = Batch()

  /// Packets that wait.
  @inline(__always)
  var count: Int { packets.count }

  /// Whether another one has to wait until these are gone.
  @inline(__always)
  var isFull: Bool { packets.count == Batch.capacity }

  /// Adds a packet, for which there must be room; what is sealed begins behind the first
  /// `outerLength` bytes.
  @inline(__always)
  mutating func append(
    _ packet: Frame, sealedFrom outerLength: Int, key: UInt16, isFragmentable: Bool = false,
    port: PortIndex
  ) {
    let outer = UInt32(truncatingIfNeeded: outerLength)
    var sealed = SealingBatch.Packet(
      offset: packet.address &+ outer, length: packet.length &- outer, key: key)
    sealed.isFragmentable = isFragmentable
    sealing.append(sealed)
    let row = packets.count
    packets.frames[row] = packet
    packets.verdicts[row] = .forward(Location(port))
    packets.count = row &+ 1
  }

  /// Seals all of them where they are; those that could not be will be dropped.
  mutating func seal(in memory: inout FrameMemory, with keys: FrameKeys) {
    var bytes = memory.allBytes
    keys.seal(&sealing, in: &bytes)
    for row in packets.rows where sealing.outcome(of: row) != .done {
      packets.verdicts[row] = .drop(.keyMissing)
    }
  }

  /// Forgets all of them.
  mutating func removeAll() {
    sealing.removeAll()
    packets.count = 0
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Dataplane
internal import Forwarding
internal import Tables
internal import XDP

/// What a stage finds in front of it: frames in memory, a batch of them and a snapshot.
///
/// Proof of safety: frames are written at addresses of `memory`'s own chunks, and are shorter than
/// a chunk behind its headroom; the snapshot stays valid as `reader` and `fabric` are held.
struct Scene: ~Copyable {
  var batch: Batch
  var memory: FrameMemory
  var hints: HintSender
  let reader: SnapshotReader
  let snapshot: ForwardingSnapshot
  private let fabric: Fabric
  private let frameBytes: MappedMemory
  private let hintRing: RingMemory<Hint>
  /// The frames as they came in.
  let arrived: [Frame]

  /// Frames from senders to receivers, in outer headers if the senders are behind the endpoint.
  init(
    frames: Int, stations: Int = 1024, senders: Location = Location(Fabric.firstPort),
    receivers: Location = Fabric.endpoint
  ) throws {
    let fabric = try Fabric(stations: stations, senders: senders, receivers: receivers)
    let frameBytes = try MappedMemory(length: 256 * UMEM.chunkLength, name: "weft-benchmark")
    var memory = FrameMemory(memory: frameBytes)
    var arrived: [Frame] = []
    for index in 0..<frames {
      guard let chunk = memory.take() else { throw Fabric.Refused() }
      let bytes = fabric.frame(index, length: 64, isOuter: senders.isEndpoint)
      let address = Int(chunk) + UMEM.headroom
      unsafe (frameBytes.base + address).copyMemory(from: bytes, byteCount: bytes.count)
      arrived.append(Frame(address: UInt32(address), length: UInt32(bytes.count)))
    }
    let hintRing = try RingMemory<Hint>(capacity: 64, name: "weft-benchmark")
    batch = Batch()
    self.frameBytes = frameBytes
    self.hintRing = hintRing
    self.arrived = arrived
    self.memory = memory
    hints = HintSender(ring: hintRing.producerHalf())
    reader = SnapshotReader(memory: fabric.memory, worker: 0)
    reader.goOnline()
    snapshot = reader.refresh()
    self.fabric = fabric
    batch.count = frames
    reset(origin: senders)
  }

  /// The batch as it was drawn, before any stage.
  mutating func reset(origin: Location) {
    for index in 0..<batch.count {
      batch.frames[index] = arrived[index]
      batch.verdicts[index] = .undecided
      batch.origins[index] = origin.bits
    }
  }

  /// Whether the snapshot knows every sender where its frame came from.
  var areSendersKnown: Bool {
    (0..<batch.count).allSatisfy { index in
      let value = snapshot.stations.value(for: batch.sourceKeys[index])
      return Station(value: value).location.bits == batch.origins[index]
    }
  }

  /// Whether every frame has this verdict.
  func hasVerdict(_ verdict: Verdict) -> Bool {
    (0..<batch.count).allSatisfy { batch.verdicts[$0] == verdict }
  }
}

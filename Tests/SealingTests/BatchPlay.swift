// SPDX-License-Identifier: Apache-2.0

@testable import Sealing

/// Packets in one memory, to be sealed or opened together.
struct BatchPlay {
  private(set) var memory: [UInt8] = []
  private(set) var rows: [SealingBatch.Packet] = []
  private(set) var outcomes: [SealingBatch.Outcome] = []

  mutating func append(
    _ packet: [UInt8], key: UInt16, formerKey: UInt16 = FrameKeys.none,
    isFragmentable: Bool = false
  ) {
    // Something between them, so that they begin anywhere.
    memory.append(0xDD)
    var row = SealingBatch.Packet(
      offset: UInt32(memory.count), length: UInt32(packet.count), key: key)
    row.formerKey = formerKey
    row.isFragmentable = isFragmentable
    rows.append(row)
    memory += packet
  }

  mutating func seal(_ keys: FrameKeys) {
    run { batch, span in keys.seal(&batch, in: &span) }
  }

  mutating func open(_ keys: FrameKeys) {
    run { batch, span in keys.open(&batch, in: &span) }
  }

  private mutating func run(_ body: (inout SealingBatch, inout MutableSpan<UInt8>) -> Void) {
    var batch = SealingBatch()
    for row in rows { batch.append(row) }
    var span = memory.mutableSpan
    body(&batch, &span)
    outcomes = (0..<batch.count).map { batch.outcome(of: $0) }
  }

  /// What a packet is now.
  func packet(_ row: Int) -> [UInt8] {
    let start = Int(rows[row].offset)
    return Array(memory[start..<start + Int(rows[row].length)])
  }
}

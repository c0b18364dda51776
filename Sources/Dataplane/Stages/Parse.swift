// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Wire

/// Reads both addresses of every frame and turns them into table keys.
public enum ParseStage {
  /// Runs over the whole batch; frames that were decided before are left alone.
  @inline(__always)
  public static func process(_ batch: inout Batch, memory: borrowing FrameMemory) {
    for index in 0..<batch.count where batch.verdicts[index] == .undecided {
      guard let header = EthernetHeader(memory.bytes(of: batch.frames[index])) else {
        batch.verdicts[index] = .drop(.frameTooShort)
        continue
      }
      let source = header.source
      let destination = header.destination
      guard source.isStation else {
        batch.verdicts[index] = .drop(.sourceNotStation)
        continue
      }
      batch.sourceKeys[index] = SnapshotKey.station(source)
      batch.destinationKeys[index] = SnapshotKey.station(destination)
      if destination.isMulticast { batch.verdicts[index] = .flood }
    }
  }
}

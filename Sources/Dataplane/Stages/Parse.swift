// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Inet
internal import Tables
internal import Wire

/// Reads both addresses of every frame, turns them into table keys, and asks for the places in the
/// table where the look-ups of both will start.
///
/// The memory answers for one frame while the next is being read; learn and look up come later.
public enum ParseStage {
  /// Runs over the whole batch; frames that were decided before are left alone.
  @inline(__always)
  public static func process(
    _ batch: inout Batch, memory: borrowing FrameMemory, snapshot: ForwardingSnapshot
  ) {
    let stations = snapshot.stations
    for row in batch.rows where batch.verdicts[row] == .undecided {
      let frame = batch.frames[row]
      guard frame.length >= EthernetHeader.length else {
        batch.verdicts[row] = .drop(.frameTooShort)
        continue
      }
      let receiver = MACAddress(bits: memory.word(of: frame, at: 0).byteSwapped >> 16)
      let sender = MACAddress(bits: memory.word(of: frame, at: 6).byteSwapped >> 16)
      guard sender.isStation else {
        refuse(&batch, row, memory: memory, snapshot: snapshot)
        continue
      }
      let source = SnapshotKey.station(sender)
      let destination = SnapshotKey.station(receiver)
      batch.sourceKeys[row] = source
      batch.destinationKeys[row] = destination
      batch.sourceHomes[row] = stations.home(of: source)
      batch.destinationHomes[row] = stations.home(of: destination)
      if receiver.isMulticast { batch.verdicts[row] = .flood }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Inet
internal import Tables

/// Compares where every sender is with where the snapshot says it is.
///
/// Known and in its place: the entry's seen mark is set. Anything else is a hint for the control
/// plane, once for an address, place and snapshot. Nothing is learned from frames that are relayed.
public enum LearnStage {
  /// Runs over the whole batch; `hints` takes what the control plane has to hear.
  @inline(__always)
  public static func process(
    _ batch: inout Batch, snapshot: ForwardingSnapshot, reader: borrowing SnapshotReader,
    hints: inout HintSender
  ) {
    let stations = snapshot.stations
    for index in batch.rows where batch.verdicts[index].isByAddress {
      let key = batch.sourceKeys[index]
      let value = stations.probe(from: batch.sourceHomes[index], for: key)
      let station = Station(value: value)
      let origin = Location(bits: batch.origins[index])
      if value != PagedTableReader.missing && station.location == origin {
        reader.mark(entry: station.entry)
      } else {
        hints.send(Hint(mac: MACAddress(bits: key).bits, location: origin), in: snapshot.generation)
      }
    }
  }
}

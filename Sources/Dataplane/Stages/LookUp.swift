// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Tables

/// Finds where every frame goes, from the places in the table that parse asked for.
///
/// Unknown destinations are flooded. A frame goes neither back where it came from nor from one
/// endpoint to another: configured endpoints are fully meshed and reach each other (split horizon).
/// What a peer of the mesh sent us is for one of our ports, or it is a flood of that peer: wherever
/// we think the destination is, the peer did not know, and its tree reaches everybody.
public enum LookUpStage {
  /// Runs over the whole batch; frames that were decided before are left alone.
  @inline(__always)
  public static func process(_ batch: inout Batch, snapshot: ForwardingSnapshot) {
    let stations = snapshot.stations
    for index in batch.rows where batch.verdicts[index] == .undecided {
      let value = stations.probe(
        from: batch.destinationHomes[index], for: batch.destinationKeys[index])
      let origin = Location(bits: batch.origins[index])
      batch.verdicts[index] = verdict(value, from: origin)
    }
  }

  @inline(__always)
  private static func verdict(_ value: UInt64, from origin: Location) -> Verdict {
    guard value != PagedTableReader.missing else { return .flood }
    let location = Station(value: value).location
    if location.isEndpoint && origin.isEndpoint {
      return origin.isPeer ? .flood : .drop(location == origin ? .samePort : .splitHorizon)
    }
    if location == origin { return .drop(.samePort) }
    return .forward(location)
  }
}

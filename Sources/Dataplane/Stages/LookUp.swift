// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Tables

/// Finds where every frame goes, from the places in the table that parse asked for.
///
/// Unknown destinations are flooded. A frame goes neither back where it came from nor from one
/// endpoint to another: endpoints are fully meshed and reach each other (split horizon).
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
    if location == origin { return .drop(.samePort) }
    if location.isEndpoint && origin.isEndpoint { return .drop(.splitHorizon) }
    return .forward(location)
  }
}

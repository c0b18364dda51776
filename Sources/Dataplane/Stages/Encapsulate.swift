// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Tables
internal import Wire

/// Puts outer headers in front of frames that leave for an endpoint, in place.
public enum EncapsulateStage {
  /// Runs over the whole batch; frames that were decided before are left alone.
  @inline(__always)
  public static func process(
    _ batch: inout Batch, memory: inout FrameMemory, snapshot: ForwardingSnapshot
  ) {
    for index in batch.rows where batch.verdicts[index].isForEndpoint {
      let endpoint = Location(bits: batch.verdicts[index].bits).endpoint
      batch.verdicts[index] = encapsulate(
        &batch.frames[index], for: endpoint, memory: &memory, snapshot: snapshot)
    }
  }

  /// Encapsulates one frame; the verdict names the underlay port, or says why it cannot go.
  @inline(__always)
  static func encapsulate(
    _ frame: inout Frame, for endpoint: EndpointIndex, memory: inout FrameMemory,
    snapshot: ForwardingSnapshot
  ) -> Verdict {
    // Before the record is read, so that all of it goes through registers.
    let port = outerSourcePort(hash(of: frame, in: memory))
    let endpoints = snapshot.endpoints
    guard Int(endpoint.number) < endpoints.count else { return .drop(.nextHopUnresolved) }
    let record = endpoints[Int(endpoint.number)]
    // Nothing fits an endpoint that cannot be reached, so one comparison finds both.
    guard frame.length <= record.innerLengthMax else {
      return .drop(record.isResolved ? .tooLongForUnderlay : .nextHopUnresolved)
    }
    let headerLength = UInt32(VXLANTemplate.length)
    let innerLength = Int(frame.length)
    frame.address &-= headerLength
    frame.length &+= headerLength
    var header = memory.mutableBytes(at: frame.address, length: VXLANTemplate.length)
    record.template.write(into: &header, innerLength: innerLength, sourcePort: port)
    return .forward(Location(record.port))
  }

  @inline(__always)
  private static func hash(of frame: Frame, in memory: borrowing FrameMemory) -> UInt32 {
    if frame.length >= LeadingWords.length, let hash = flowHash(memory.leadingWords(of: frame)) {
      return hash
    }
    return flowHash(memory.bytes(of: frame))
  }
}

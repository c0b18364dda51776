// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Tables
internal import Wire

/// Puts outer headers in front of frames that leave for an endpoint by VXLAN, in place.
///
/// Those that leave by sleeve or sealed, and those that are too long, only get a verdict.
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

  /// Encapsulates one frame; the verdict names the underlay port, or says how else it goes, or why
  /// it cannot.
  @inline(__always)
  static func encapsulate(
    _ frame: inout Frame, for endpoint: EndpointIndex, memory: inout FrameMemory,
    snapshot: ForwardingSnapshot
  ) -> Verdict {
    // Both before the record is read, so that all of it goes through registers.
    if memory.mayBeSYN(frame) { clamp(frame, for: endpoint, memory: &memory, snapshot: snapshot) }
    let port = sourcePort(of: frame, in: memory)
    let endpoints = snapshot.endpoints
    guard Int(endpoint.number) < endpoints.count else { return .drop(.nextHopUnresolved) }
    let record = endpoints[Int(endpoint.number)]
    // No frame fits an endpoint that is not reached by VXLAN in clear, so one comparison finds all
    // of them.
    guard frame.length <= record.innerLengthMax else {
      return otherwise(frame.length, for: endpoint, snapshot: snapshot)
    }
    let headerLength = UInt32(VXLANTemplate.length)
    let innerLength = Int(frame.length)
    frame.address &-= headerLength
    frame.length &+= headerLength
    var header = memory.mutableBytes(at: frame.address, length: VXLANTemplate.length)
    record.template.write(into: &header, innerLength: innerLength, sourcePort: port)
    return .forward(Location(record.port))
  }

  /// Has TCP ask for no longer segments than fit the way to an endpoint, by whichever overlay.
  @inline(never)
  private static func clamp(
    _ frame: Frame, for endpoint: EndpointIndex, memory: inout FrameMemory,
    snapshot: ForwardingSnapshot
  ) {
    let endpoints = snapshot.endpoints
    guard Int(endpoint.number) < endpoints.count else { return }
    memory.clampSegmentSize(of: frame, to: endpoints[Int(endpoint.number)].frameLengthMax)
  }

  /// What becomes of a frame that does not go as VXLAN in clear and in one piece.
  ///
  /// By sleeve a frame that fits one piece travels in a datagram that the underlay may not
  /// fragment, also if the packet in it might be fragmented, or is no IPv4 at all. Weave Net sends
  /// those so that the underlay may, where that was proven to work; its receivers take both. Here
  /// that has no gain: what fits needs no fragments, shares its datagram with others to the same
  /// neighbour, and leaves through the fast port. A path that carries less than is believed loses
  /// such a frame until the next length test fails, as it does one with don't-fragment set.
  @inline(never)
  private static func otherwise(
    _ length: UInt32, for endpoint: EndpointIndex, snapshot: ForwardingSnapshot
  ) -> Verdict {
    let record = snapshot.endpoints[Int(endpoint.number)]
    guard record.isResolved else { return .drop(.nextHopUnresolved) }
    return length <= record.frameLengthMax ? .pack(endpoint) : .tooLong(endpoint)
  }

  /// The UDP source port for the flow that a frame belongs to.
  @inline(__always)
  static func sourcePort(of frame: Frame, in memory: borrowing FrameMemory) -> UInt16 {
    outerSourcePort(hash(of: frame, in: memory))
  }

  @inline(__always)
  private static func hash(of frame: Frame, in memory: borrowing FrameMemory) -> UInt32 {
    if frame.length >= LeadingWords.length, let hash = flowHash(memory.leadingWords(of: frame)) {
      return hash
    }
    return flowHash(memory.bytes(of: frame))
  }
}

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
    for index in 0..<batch.count {
      guard case .forward(let location) = batch.verdicts[index], location.isEndpoint else {
        continue
      }
      batch.verdicts[index] = encapsulate(
        &batch.frames[index], for: location.endpoint, memory: &memory, snapshot: snapshot)
    }
  }

  /// Encapsulates one frame; the verdict names the underlay port, or says why it cannot go.
  @inline(__always)
  static func encapsulate(
    _ frame: inout Frame, for endpoint: EndpointIndex, memory: inout FrameMemory,
    snapshot: ForwardingSnapshot
  ) -> Verdict {
    let endpoints = snapshot.endpoints
    guard Int(endpoint.number) < endpoints.count else { return .drop(.nextHopUnresolved) }
    let record = endpoints[Int(endpoint.number)]
    guard record.isResolved else { return .drop(.nextHopUnresolved) }
    guard frame.length <= record.innerLengthMax else { return .drop(.tooLongForUnderlay) }
    let headerLength = UInt32(VXLANTemplate.length)
    let port = outerSourcePort(flowHash(memory.bytes(of: frame)))
    let innerLength = Int(frame.length)
    frame.address &-= headerLength
    frame.length &+= headerLength
    var header = memory.mutableBytes(at: frame.address, length: VXLANTemplate.length)
    record.template.write(into: &header, innerLength: innerLength, sourcePort: port)
    return .forward(Location(record.port))
  }
}

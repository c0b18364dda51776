// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Inet
internal import Wire

/// Puts outer headers to the next hop in front of frames that are on their way from one peer of the
/// mesh to another.
///
/// Its addresses decide nothing, and its network identifier stays what it was. Those that go on by
/// sleeve or sealed only get a verdict, like our own.
public enum RelayStage {
  /// Runs over the whole batch; only to be called if there are such frames.
  @inline(never)
  public static func process(
    _ batch: inout Batch, memory: inout FrameMemory, snapshot: ForwardingSnapshot
  ) {
    for row in batch.rows {
      guard let peer = batch.verdicts[row].relayed else { continue }
      batch.verdicts[row] = EncapsulateStage.encapsulate(
        &batch.frames[row], for: peer, of: batch.networks[row].source, memory: &memory,
        snapshot: snapshot)
    }
  }
}

extension EncapsulateStage {
  /// Encapsulates a frame that entered the mesh at the peer with the short number `source`.
  @inline(__always)
  static func encapsulate(
    _ frame: inout Frame, for peer: EndpointIndex, of source: ShortID,
    memory: inout FrameMemory, snapshot: ForwardingSnapshot
  ) -> Verdict {
    let verdict = encapsulate(&frame, for: peer, memory: &memory, snapshot: snapshot)
    guard verdict.isForPort else { return verdict }
    // The template has our own number in its place.
    let offset = VXLANTemplate.length - VXLANHeader.length
    var header = memory.mutableBytes(
      at: frame.address &+ UInt32(offset), length: VXLANHeader.length)
    if var vxlan = VXLANWriter(&header) {
      vxlan.network = VirtualNetwork(from: source, to: vxlan.network.destination)
    }
    return verdict
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Tables
internal import Wire

/// Takes the outer headers off what came from the underlay.
///
/// Checks the outer packet once and completely, finds the endpoint it comes from by outer source
/// address and network identifier, and moves the frame's start to the inner frame. Neither source
/// port nor UDP checksum is looked at: RFC 7348 leaves the first to the sender's flow hash and lets
/// a receiver accept the second as it is.
public enum OpenStage {
  /// Runs over the whole batch, which came from the underlay.
  @inline(__always)
  public static func process(
    _ batch: inout Batch, memory: borrowing FrameMemory, snapshot: ForwardingSnapshot
  ) {
    let sources = snapshot.sources
    for index in 0..<batch.count {
      let frame = batch.frames[index]
      switch openVXLAN(memory.bytes(of: frame)) {
      case .rejected(let rejection):
        batch.verdicts[index] = .drop(reason(for: rejection))
      case .opened(let opened):
        let value = sources.value(for: SnapshotKey.source(opened.source, opened.network))
        guard value != PagedTableReader.missing else {
          batch.verdicts[index] = .drop(.endpointUnknown)
          continue
        }
        batch.frames[index] = Frame(
          address: frame.address &+ UInt32(truncatingIfNeeded: opened.innerOffset),
          length: UInt32(truncatingIfNeeded: opened.innerLength))
        batch.origins[index] = Location(EndpointIndex(UInt16(truncatingIfNeeded: value))).bits
      }
    }
  }

  @inline(__always)
  private static func reason(for rejection: VXLANRejection) -> DropReason {
    switch rejection {
    case .notIPv4, .notUDP: .outerNotUDP
    case .truncated, .badUDPLength: .outerMalformed
    case .badHeaderChecksum: .outerChecksumWrong
    case .fragment: .outerFragment
    case .noVXLANFlag: .networkFlagMissing
    case .innerTooShort: .innerTooShort
    }
  }
}

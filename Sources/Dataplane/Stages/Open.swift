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
///
/// What was sent to the mesh's UDP port comes from a peer, and its network identifier names two:
/// whose frame it is, and who is to have it (`OpenStage+Mesh.swift`).
public enum OpenStage {
  /// Runs over the whole batch, which came from the underlay.
  @inline(__always)
  public static func process(
    _ batch: inout Batch, memory: borrowing FrameMemory, snapshot: ForwardingSnapshot
  ) {
    let meshPort = snapshot.meshPort
    for row in batch.rows {
      let frame = batch.frames[row]
      if let opened = plain(frame, in: memory) {
        enter(opened, &batch, row, snapshot, meshPort)
      } else {
        openAny(&batch, row, memory, snapshot, meshPort)
      }
    }
  }

  /// Opens a frame that has nothing wrong and no options, and nil otherwise.
  @inline(__always)
  private static func plain(_ frame: Frame, in memory: borrowing FrameMemory) -> VXLANOpened? {
    guard frame.length >= VXLANTemplate.length + EthernetHeader.length else { return nil }
    return VXLANOpened(
      memory.leadingWords(of: frame), vxlan: memory.word(of: frame, at: VXLANTemplate.length - 8),
      frameLength: Int(frame.length))
  }

  /// Opens a frame field by field, and says what is wrong with it.
  @inline(never)
  private static func openAny(
    _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory,
    _ snapshot: ForwardingSnapshot, _ meshPort: UInt16
  ) {
    switch openVXLAN(memory.bytes(of: batch.frames[row])) {
    case .rejected(let rejection): batch.verdicts[row] = .drop(reason(for: rejection))
    case .opened(let opened): enter(opened, &batch, row, snapshot, meshPort)
    }
  }

  /// Goes on with the inner frame, if the endpoint that sent it is known.
  @inline(__always)
  private static func enter(
    _ opened: VXLANOpened, _ batch: inout Batch, _ row: Int, _ snapshot: ForwardingSnapshot,
    _ meshPort: UInt16
  ) {
    guard opened.destinationPort != meshPort else {
      return enterFromMesh(opened, &batch, row, snapshot)
    }
    let sources = snapshot.sources
    let key = SnapshotKey.source(opened.source, opened.network)
    let value = sources.probe(from: sources.home(of: key), for: key)
    guard value != PagedTableReader.missing else {
      batch.verdicts[row] = .drop(.endpointUnknown)
      return
    }
    batch.frames[row].address &+= UInt32(truncatingIfNeeded: opened.innerOffset)
    batch.frames[row].length = UInt32(truncatingIfNeeded: opened.innerLength)
    batch.origins[row] = Location(EndpointIndex(UInt16(truncatingIfNeeded: value))).bits
  }

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

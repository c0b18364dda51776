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
/// whose frame it is, and who is to have it (`OpenStage+Mesh.swift`). A datagram of sleeve keeps
/// its records; the worker takes them out when it comes to the frame's end
/// (`OpenStage+Sleeve.swift`). Packets of ESP are only found (`OpenStage+Security.swift`): all of a
/// batch are opened together, and then they go on like VXLAN from the mesh.
public enum OpenStage {
  /// Runs over the whole batch, which came from the underlay.
  @inline(__always)
  public static func process(
    _ batch: inout Batch, memory: borrowing FrameMemory, snapshot: ForwardingSnapshot
  ) {
    let ports = OverlayPorts(snapshot)
    for row in batch.rows {
      let frame = batch.frames[row]
      if let opened = plain(frame, in: memory) {
        enter(opened, &batch, row, memory, snapshot, ports)
      } else {
        openAny(&batch, row, memory, snapshot, ports)
      }
    }
  }

  /// Opens a frame of VXLAN that has nothing wrong, no options and only one piece; nil otherwise.
  @inline(__always)
  private static func plain(_ frame: Frame, in memory: borrowing FrameMemory) -> VXLANOpened? {
    let least = UInt32(VXLANTemplate.length + EthernetHeader.length)
    guard frame.length &- least <= Frame.surelyWholeLengthMax &- least else { return nil }
    return VXLANOpened(
      memory.leadingWords(of: frame), vxlan: memory.word(of: frame, at: VXLANTemplate.length - 8),
      frameLength: Int(frame.length))
  }

  /// Opens a frame field by field, and says what is wrong with it.
  @inline(never)
  private static func openAny(
    _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory,
    _ snapshot: ForwardingSnapshot, _ ports: OverlayPorts
  ) {
    guard !enterPlainSecurity(&batch, row, memory), !enterSleeve(&batch, row, memory, ports)
    else { return }
    switch openVXLAN(batch.frames[row], in: memory) {
    case .rejected(.notUDP): enterSecurity(&batch, row, memory)
    case .rejected(let rejection): batch.verdicts[row] = .drop(reason(for: rejection))
    case .opened(let opened):
      guard hasPieces(batch.frames[row], from: opened.innerOffset, length: opened.innerLength)
      else {
        batch.verdicts[row] = .drop(.outerMalformed)
        return
      }
      enter(opened, &batch, row, memory, snapshot, ports)
    }
  }

  /// Opens a frame of VXLAN in however many pieces; the headers of a chain have no options.
  private static func openVXLAN(
    _ frame: Frame, in memory: borrowing FrameMemory
  ) -> VXLANOpening {
    guard frame.isChained else { return Wire.openVXLAN(memory.bytes(of: frame)) }
    let opened = VXLANOpened(
      memory.leadingWords(of: frame), vxlan: memory.word(of: frame, at: VXLANTemplate.length - 8),
      frameLength: Int(frame.length))
    return opened.map { .opened($0) } ?? Wire.openVXLAN(memory.bytes(of: frame))
  }

  /// Whether what is left of a frame between two headers' ends is in all of its pieces.
  ///
  /// Nothing pads a frame that is longer than a chunk, and a piece that is not described any more
  /// would be lost.
  static func hasPieces(_ frame: Frame, from offset: Int, length: Int) -> Bool {
    let rest = Frame(
      address: frame.address &+ UInt32(truncatingIfNeeded: offset),
      length: UInt32(truncatingIfNeeded: length))
    return rest.pieceCount == frame.pieceCount
  }

  /// Goes on with the inner frame, if the endpoint that sent it is known.
  @inline(__always)
  private static func enter(
    _ opened: VXLANOpened, _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory,
    _ snapshot: ForwardingSnapshot, _ ports: OverlayPorts
  ) {
    guard !ports.mayHave(opened.destinationPort) else {
      return enterByPort(opened, &batch, row, memory, snapshot, ports)
    }
    enterFromEndpoint(opened, &batch, row, memory, snapshot)
  }

  /// Goes on with a frame whose port looks like one of the mesh's.
  @inline(never)
  private static func enterByPort(
    _ opened: VXLANOpened, _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory,
    _ snapshot: ForwardingSnapshot, _ ports: OverlayPorts
  ) {
    if opened.destinationPort == ports.mesh {
      enterFromMesh(opened, isSealed: false, &batch, row, memory, snapshot)
    } else if !enterSleeve(&batch, row, memory, ports) {
      enterFromEndpoint(opened, &batch, row, memory, snapshot)
    }
  }

  @inline(__always)
  private static func enterFromEndpoint(
    _ opened: VXLANOpened, _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory,
    _ snapshot: ForwardingSnapshot
  ) {
    let sources = snapshot.sources
    let key = SnapshotKey.source(opened.source, opened.network)
    let value = sources.probe(from: sources.home(of: key), for: key)
    guard value != PagedTableReader.missing else {
      return enterFromStranger(opened, &batch, row, memory, snapshot)
    }
    batch.frames[row].address &+= UInt32(truncatingIfNeeded: opened.innerOffset)
    batch.frames[row].length = UInt32(truncatingIfNeeded: opened.innerLength)
    batch.origins[row] = Location(EndpointIndex(UInt16(truncatingIfNeeded: value))).bits
  }

  /// From no endpoint: perhaps from a peer that we dialled at a port of its own.
  @inline(never)
  private static func enterFromStranger(
    _ opened: VXLANOpened, _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory,
    _ snapshot: ForwardingSnapshot
  ) {
    guard snapshot.isOtherMeshPort(opened.destinationPort) else {
      batch.verdicts[row] = .drop(.endpointUnknown)
      return
    }
    enterFromMesh(opened, isSealed: false, &batch, row, memory, snapshot)
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

/// The UDP ports of the mesh, so that one comparison tells whether a packet may be for one of them.
struct OverlayPorts: BitwiseCopyable {
  /// The port of VXLAN's packets; 0 without a mesh.
  let mesh: UInt16
  /// The port of sleeve's datagrams; 0 without a mesh.
  let sleeve: UInt16
  private let likely: UInt16
  /// Bits in which both ports are the same.
  private let mask: UInt16

  @inline(__always)
  init(_ snapshot: ForwardingSnapshot) {
    mesh = snapshot.meshPort
    sleeve = snapshot.sleevePort
    likely = mesh == 0 ? sleeve : mesh
    mask = ~(likely ^ (sleeve == 0 ? likely : sleeve))
  }

  /// False of a port that is neither; of others `mesh` and `sleeve` are to be asked.
  @inline(__always)
  func mayHave(_ port: UInt16) -> Bool { (port ^ likely) & mask == 0 }
}

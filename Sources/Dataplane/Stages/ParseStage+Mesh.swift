// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Wire

extension ParseStage {
  /// Decides about a frame that no station sent: it is dropped, unless it is a neighbour's
  /// heartbeat over VXLAN, which is for the control plane.
  ///
  /// A heartbeat's origin is the link it came over from here on, and in place of a key there is who
  /// sent it.
  @inline(never)
  static func refuse(
    _ batch: inout Batch, _ row: Int, memory: borrowing FrameMemory, snapshot: ForwardingSnapshot
  ) {
    let frame = batch.frames[row]
    let origin = Location(bits: batch.origins[row])
    guard origin.isPeer, SleeveSpecialFrame.isSpecial(memory.bytes(of: frame)) else {
      batch.verdicts[row] = .drop(.sourceNotStation)
      return
    }
    let source = IPv4Address(bits: UInt32(truncatingIfNeeded: batch.sourceKeys[row]))
    guard let link = link(from: origin.endpoint, at: source, snapshot) else {
      batch.verdicts[row] = .drop(.specialMisplaced)
      return
    }
    // Right before the frame are the headers of UDP and VXLAN.
    let headers = Frame(address: frame.address &- 16, length: 16)
    let port = UInt16(truncatingIfNeeded: memory.word(of: headers, at: 0)).byteSwapped
    batch.sourceKeys[row] = OuterSource(SocketAddress(source, port: port)).bits
    batch.origins[row] = Location(peer: link).bits
    batch.verdicts[row] = .unpack
  }

  /// The link to a peer, if that is the neighbour who sends from `source`; nil if the frame only
  /// came past a neighbour.
  ///
  /// In clear an address proves nothing, and a neighbour may send from another than it did: which
  /// connection a heartbeat is of decides the control plane.
  private static func link(
    from peer: EndpointIndex, at source: IPv4Address, _ snapshot: ForwardingSnapshot
  ) -> EndpointIndex? {
    guard let link = snapshot.linkByVXLAN(to: peer) else { return nil }
    let record = link.record
    if record.takesClear || record.isFrom(source) { return link.index }
    // As long as it is not resolved, its address is not known either, only that it has to seal.
    let isSealed = snapshot.sources.value(for: SnapshotKey.neighbour(source)) == 1
    return !record.isResolved && isSealed ? link.index : nil
  }
}

extension ForwardingSnapshot {
  /// The link by VXLAN to a peer, if that is a neighbour.
  func linkByVXLAN(
    to peer: EndpointIndex
  ) -> (index: EndpointIndex, record: EndpointRecord)? {
    let endpoints = endpoints
    guard Int(peer.number) < endpoints.count else { return nil }
    let name = PeerName(bits: endpoints[Int(peer.number)].name)
    guard let link = link(to: name, by: .vxlan), Int(link.number) < endpoints.count
    else { return nil }
    return (link, endpoints[Int(link.number)])
  }
}

extension EndpointRecord {
  /// Of a link: whether what comes over it comes in clear.
  var takesClear: Bool { isReceiving && opening == EndpointRecord.noKey }

  /// Of a link: whether `source` is known to be its neighbour's address.
  func isFrom(_ source: IPv4Address) -> Bool {
    isResolved && template.destination == source
  }
}

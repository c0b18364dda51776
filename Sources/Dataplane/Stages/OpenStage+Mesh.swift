// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Wire

extension OpenStage {
  /// Goes on with the inner frame of a packet from the mesh: into this host, or past it.
  ///
  /// `isSealed` says whether it was opened with a key of the neighbour's.
  @inline(never)
  static func enterFromMesh(
    _ opened: VXLANOpened, isSealed: Bool, _ batch: inout Batch, _ row: Int,
    _ memory: borrowing FrameMemory, _ snapshot: ForwardingSnapshot
  ) {
    var verdict = judge(opened, isSealed: isSealed, &batch.origins[row], snapshot)
    if verdict == .drop(.endpointUnknown), !isSealed {
      verdict = judgeStranger(opened, &batch, row, memory, snapshot)
    }
    batch.verdicts[row] = verdict
    guard verdict.isAlive else { return }
    batch.networks[row] = opened.network
    // Overwritten unless it is a heartbeat, whose sender is to be known.
    batch.sourceKeys[row] = UInt64(opened.source.bits)
    batch.frames[row].address &+= UInt32(truncatingIfNeeded: opened.innerOffset)
    batch.frames[row].length = UInt32(truncatingIfNeeded: opened.innerLength)
    if verdict != .undecided { batch.relayCount &+= 1 }
  }

  /// Undecided if the frame is for us, a relay if it is for another peer; `origin` becomes the peer
  /// whose frame it is.
  @inline(__always)
  private static func judge(
    _ opened: VXLANOpened, isSealed: Bool, _ origin: inout UInt32, _ snapshot: ForwardingSnapshot
  ) -> Verdict {
    let neighbour = snapshot.sources.value(for: SnapshotKey.neighbour(opened.source))
    guard neighbour != PagedTableReader.missing else { return .drop(.endpointUnknown) }
    guard neighbour == 0 || isSealed else { return .drop(.notSealed) }
    let own = snapshot.shortID
    let (source, destination) = (opened.network.source, opened.network.destination)
    guard own != source.number else { return .drop(.meshLoop) }
    guard own != PeerEntry.nobody, let sender = snapshot.peer(source) else {
      return .drop(.peerUnknown)
    }
    origin = Location(peer: EndpointIndex(sender.endpoint)).bits
    guard own != destination.number else { return .undecided }
    // It went out already to whom it is for, and is on no way that leads anywhere.
    guard source != destination else { return .drop(.meshLoop) }
    guard let receiver = snapshot.peer(destination) else { return .drop(.peerUnknown) }
    return relay(to: EndpointIndex(receiver.endpoint), opened, snapshot)
  }

  /// Undecided if a packet from no neighbour's address may be a neighbour's heartbeat all the same,
  /// from an address that we do not know yet: one to us, over a link that takes what is in clear.
  @inline(never)
  private static func judgeStranger(
    _ opened: VXLANOpened, _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory,
    _ snapshot: ForwardingSnapshot
  ) -> Verdict {
    let frame = batch.frames[row]
    let inner = Frame(
      address: frame.address &+ UInt32(truncatingIfNeeded: opened.innerOffset),
      length: UInt32(truncatingIfNeeded: opened.innerLength))
    guard SleeveSpecialFrame.isSpecial(memory.bytes(of: inner)),
      snapshot.shortID != PeerEntry.nobody,
      opened.network.destination.number == snapshot.shortID,
      let sender = snapshot.peer(opened.network.source),
      let link = snapshot.linkByVXLAN(to: EndpointIndex(sender.endpoint)), link.record.takesClear
    else { return .drop(.endpointUnknown) }
    batch.origins[row] = Location(peer: EndpointIndex(sender.endpoint)).bits
    return .undecided
  }

  /// A relay, unless the next hop is where the packet came from: while peers do not agree on the
  /// routes, two of them would toss it back and forth.
  @inline(__always)
  private static func relay(
    to peer: EndpointIndex, _ opened: VXLANOpened, _ snapshot: ForwardingSnapshot
  ) -> Verdict {
    let endpoints = snapshot.endpoints
    guard Int(peer.number) < endpoints.count else { return .drop(.nextHopUnresolved) }
    let record = endpoints[Int(peer.number)]
    guard record.isResolved else { return .drop(.nextHopUnresolved) }
    guard record.template.destination == opened.source else { return .relay(peer) }
    // Two neighbours may share an address, but no port of it.
    let isElsewhere =
      record.overlay == .vxlan && record.template.destinationPort != opened.destinationPort
    return isElsewhere ? .relay(peer) : .drop(.meshLoop)
  }
}

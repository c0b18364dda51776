// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import Forwarding
internal import Inet
internal import Tables
internal import Telemetry
internal import Wire
internal import XDP

/// Frames that are too long for their way.
///
/// - IPv4 that may be fragmented goes by sleeve in a datagram that the underlay may fragment, if
///   that was proven to work, and otherwise in fragments of its own.
/// - The sender of IPv4 with don't-fragment, and of IPv6, is told what fits; a flood is dropped.
/// - Anything else goes by sleeve in such a datagram, or is dropped.
///
/// IPv6 can rely on 1280 bytes on every link (RFC 8200, section 5): where less fits, and where
/// nobody can be told, it is treated like anything else.
extension Worker {
  /// Deals with a frame that does not fit what carries it on in one piece: cuts the IPv4 packet in
  /// it into fragments, or tells its sender what fits, or drops it.
  ///
  /// The frame is that of the batch's `row`, or a copy, without outer headers; `receiver` is where
  /// it goes, `limit` what fits, in bytes with the Ethernet header.
  @inline(never)
  mutating func answerTooLong(
    _ frame: Frame, row: Int, to receiver: Location, limit: Int, snapshot: ForwardingSnapshot
  ) {
    let packet = InnerPacket(memory.bytes(of: frame), frameLength: Int(frame.length))
    let origin = Location(bits: batch.origins[row])
    let way = Way(receiver: receiver, entry: origin.isPeer ? origin.endpoint : nil)
    let isFlood = packet.isForGroup || batch.verdicts[row] == .flood
    let reason: DropReason = receiver.isEndpoint ? .tooLongForUnderlay : .tooLongForPort
    if packet.kind != .other, packet.offset &+ packet.length <= limit {
      var whole = frame
      memory.truncate(&whole, to: packet.offset &+ packet.length)
      return sendOn(whole, way, snapshot: snapshot)
    }
    if isForFragments(packet, frame, receiver, limit, isFlood, snapshot) {
      let entry = entry(of: way, snapshot)
      return packFragmentable(frame, for: receiver.endpoint, from: entry, snapshot: snapshot)
    }
    if packet.kind == .fragmentable {
      return sendFragments(of: frame, way, limit, reason, snapshot: snapshot)
    }
    if !isFlood { tellSender(of: frame, at: origin, way, limit, snapshot: snapshot) }
    drop(frame, reason)
  }

  /// Where a frame goes, and where it entered the mesh: at a peer, or nil, at us.
  private struct Way {
    let receiver: Location
    let entry: EndpointIndex?
  }

  // MARK: Datagrams that the underlay fragments

  /// Whether a frame goes in one datagram that the underlay may fragment.
  private func isForFragments(
    _ packet: InnerPacket, _ frame: Frame, _ receiver: Location, _ limit: Int, _ isFlood: Bool,
    _ snapshot: ForwardingSnapshot
  ) -> Bool {
    guard let record = record(of: receiver, snapshot), record.overlay == .sleeve,
      record.mayFragment
    else { return false }
    switch packet.kind {
    case .fragmentable: return frame.length <= Worker.fragmentableLengthMax
    case .other: return true
    case .ipv6: return isFlood || limit < EthernetHeader.length + Worker.ipv6LinkMTUMin
    case .unfragmentable: return false
    }
  }

  /// What a UDP datagram holds of a frame for sure, sealed or not.
  private static var fragmentableLengthMax: Int { 65_507 - 30 - SleeveRecordHeader.length }
  private static var ipv6LinkMTUMin: Int { 1280 }

  // MARK: Fragments of IPv4

  /// Cuts a frame's packet; one piece counts as the frame itself and the others as copies of it.
  private mutating func sendFragments(
    of frame: Frame, _ way: Way, _ limit: Int, _ reason: DropReason, snapshot: ForwardingSnapshot
  ) {
    // No piece is longer than one chunk holds.
    let mtu = min(limit, UMEM.frameLengthMax) &- InnerPacket.untaggedOffset
    let plan = IPv4Fragmentation(
      memory.bytes(of: frame), frameLength: Int(frame.length), mtu: mtu)
    guard let plan else { return drop(frame, reason) }
    // A packet lacking one piece is lost as a whole.
    guard memory.freeCount >= plan.count else { return drop(frame, .noFrameForCopy) }
    counters.add(UInt64(plan.count &- 1), to: WorkerCounter.copied.rawValue)
    for piece in 0..<plan.count {
      guard let fragment = memory.fragment(plan, piece, of: frame) else {
        counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
        continue
      }
      sendOn(fragment, way, snapshot: snapshot)
    }
    memory.give(frame)
  }

  // MARK: Answers

  /// Tells the sender of a frame what fits, as if the receiver did, unless none may be told or too
  /// many were told lately.
  ///
  /// Over the mesh the answer enters where the frame would have left it: at the receiver's peer if
  /// we only relay, and otherwise at us.
  private mutating func tellSender(
    of frame: Frame, at origin: Location, _ way: Way, _ limit: Int, snapshot: ForwardingSnapshot
  ) {
    guard answers.areAllowed(at: cintrinsics_ticks()) else { return }
    let room = lengthMax(to: origin, snapshot)
    guard let answer = makeAnswer(to: frame, limit, room: room) else { return }
    answers.note()
    counters.add(1, to: WorkerCounter.generated.rawValue)
    let isRelayed = origin.isPeer && way.receiver.isPeer
    let back = Way(receiver: origin, entry: isRelayed ? way.receiver.endpoint : nil)
    sendOn(answer, back, snapshot: snapshot)
  }

  private mutating func makeAnswer(to frame: Frame, _ limit: Int, room: Int) -> Frame? {
    // More than an answer quotes, so that it may be written where it will be.
    var beginning = [1298 of UInt8](repeating: 0)
    var bytes = beginning.mutableSpan
    let length = memory.read(frame, from: 0, into: &bytes)
    let mtu = limit &- InnerPacket.untaggedOffset
    let room = min(room, tooBigAnswerLengthMax)
    guard room > 0, var answer = memory.takeChain(length: room) else { return nil }
    var target = memory.mutableBytes(at: answer.address, length: room)
    let written = writeTooBigAnswer(
      to: beginning.span.extracting(first: length), frameLength: Int(frame.length), mtu: mtu,
      into: &target)
    guard let written else {
      memory.give(answer)
      return nil
    }
    answer.length = UInt32(truncatingIfNeeded: written)
    return answer
  }

  // MARK: Onward

  /// Sends a frame, which fits, where it goes.
  private mutating func sendOn(_ frame: Frame, _ way: Way, snapshot: ForwardingSnapshot) {
    guard way.receiver.isEndpoint else { return send(frame, to: way.receiver.port) }
    let endpoint = way.receiver.endpoint
    let entry = entry(of: way, snapshot)
    guard way.entry == nil || entry.shortID != nil || !isByVXLAN(way.receiver, snapshot) else {
      return drop(frame, .peerUnknown)
    }
    var outer = frame
    let verdict = encapsulate(&outer, for: endpoint, from: entry, snapshot: snapshot)
    if verdict.isForPort {
      send(outer, to: Location(bits: verdict.bits).port)
    } else if verdict.packEndpoint != nil {
      pack(outer, for: endpoint, from: entry, snapshot: snapshot)
    } else {
      drop(outer, verdict.dropReason ?? .tooLongForUnderlay)
    }
  }

  private mutating func encapsulate(
    _ frame: inout Frame, for endpoint: EndpointIndex, from entry: MeshEntry,
    snapshot: ForwardingSnapshot
  ) -> Verdict {
    guard let source = entry.shortID else {
      return EncapsulateStage.encapsulate(
        &frame, for: endpoint, memory: &memory, snapshot: snapshot)
    }
    return EncapsulateStage.encapsulate(
      &frame, for: endpoint, of: source, memory: &memory, snapshot: snapshot)
  }

  private func isByVXLAN(_ receiver: Location, _ snapshot: ForwardingSnapshot) -> Bool {
    record(of: receiver, snapshot)?.overlay == .vxlan
  }

  /// How an endpoint is reached; nil of a port.
  private func record(
    of location: Location, _ snapshot: ForwardingSnapshot
  ) -> EndpointRecord? {
    let endpoints = snapshot.endpoints
    guard location.isEndpoint, Int(location.endpoint.number) < endpoints.count else { return nil }
    return endpoints[Int(location.endpoint.number)]
  }

  /// The longest frame that goes there in one piece, as far as this worker knows.
  private func lengthMax(to location: Location, _ snapshot: ForwardingSnapshot) -> Int {
    guard !location.isEndpoint else {
      return Int(record(of: location, snapshot)?.frameLengthMax ?? 0)
    }
    let slot = ports.slot(for: location.port)
    return slot < PortTable.capacity ? Int(ports.frameLengthMax(of: slot)) : UMEM.frameLengthMax
  }

  /// Where a frame entered the mesh.
  private func entry(of way: Way, _ snapshot: ForwardingSnapshot) -> MeshEntry {
    guard let peer = way.entry, let record = record(of: Location(peer), snapshot) else {
      return .own(snapshot)
    }
    return MeshEntry(name: PeerName(bits: record.name), shortID: ShortID(record.shortID))
  }
}

extension FrameMemory {
  /// Makes a piece of a frame's packet a frame of its own; nil if there is no chunk for it.
  mutating func fragment(
    _ plan: borrowing IPv4Fragmentation, _ piece: Int, of frame: Frame
  ) -> Frame? {
    guard let fragment = takeChain(length: plan.length(of: piece)) else { return nil }
    var header = mutableBytes(at: fragment.address, length: plan.headerLength)
    plan.writeHeader(of: piece, into: &header)
    let payload = plan.payload(of: piece)
    copyBytes(
      of: frame, from: payload.lowerBound, count: payload.count, into: fragment,
      at: plan.headerLength)
    return fragment
  }
}

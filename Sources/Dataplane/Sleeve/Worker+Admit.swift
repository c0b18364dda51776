// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Sealing
internal import Tables
internal import Telemetry
internal import Wire

extension Worker {
  /// Deals with what is not for a station (`Verdict.unpack`): opens a datagram of sleeve and keeps
  /// it for `unpackAll`, or tells the control plane of a heartbeat.
  @inline(never)
  mutating func admit(_ row: Int, snapshot: ForwardingSnapshot) {
    let frame = batch.frames[row]
    let source = OuterSource(bits: batch.sourceKeys[row])
    let origin = Location(bits: batch.origins[row])
    guard !origin.isPeer else {
      puntHeartbeat(frame, link: origin.endpoint, source, snapshot: snapshot)
      return
    }
    // What is shorter than a name and a record's header has nothing in it.
    guard frame.length >= UInt32(SleeveHeader.length + SleeveRecordHeader.length) else {
      return drop(frame, .sleeveMalformed)
    }
    let sender = PeerName(bits: memory.word(of: frame, at: 0).byteSwapped >> 16)
    let endpoints = snapshot.endpoints
    guard let link = snapshot.link(to: sender, by: .sleeve),
      Int(link.number) < endpoints.count
    else { return drop(frame, .endpointUnknown) }
    let record = endpoints[Int(link.number)]
    // There may be no way back yet: who was dialled learns it from a heartbeat.
    guard record.isReceiving else { return drop(frame, .endpointUnknown) }
    var overhead = UInt32(SleeveHeader.length)
    if record.session != EndpointRecord.noSession {
      if let reason = unseal(frame, session: record.session) { return drop(frame, reason) }
      overhead = UInt32(SleeveSessions.plaintextOffset)
    }
    let records = Frame(
      address: frame.address &+ overhead, length: frame.length &- overhead)
    datagrams.append(.init(records: records, link: link, source: source))
  }

  /// Opens a sealed datagram where it lies; says why not if it does not open.
  private mutating func unseal(_ frame: Frame, session: UInt16) -> DropReason? {
    guard Int(frame.length) >= SleeveSessions.plaintextOffset else { return .sleeveMalformed }
    let opening =
      frame.isChained
      ? Worker.open(frame, in: &memory, by: &packer.scratch, sessions, session)
      : Worker.open(frame, in: &memory, sessions, session)
    return switch opening {
    case .opened: nil
    case .notAuthentic: .sleeveNotAuthentic
    case .replayed: .sleeveReplayed
    }
  }

  @inline(__always)
  private static func open(
    _ frame: Frame, in memory: inout FrameMemory, _ sessions: SleeveSessions, _ session: UInt16
  ) -> SleeveSessions.Opening {
    var bytes = memory.mutableBytes(at: frame.address, length: Int(frame.length))
    return sessions.open(&bytes, session: session)
  }

  /// Opens a datagram that is in several chunks, in one piece elsewhere.
  private static func open(
    _ frame: Frame, in memory: inout FrameMemory, by scratch: inout SleeveScratch,
    _ sessions: SleeveSessions, _ session: UInt16
  ) -> SleeveSessions.Opening {
    var bytes = scratch.mutableBytes(0..<Int(frame.length))
    memory.read(frame, from: 0, into: &bytes)
    let opening = sessions.open(&bytes, session: session)
    if opening == .opened { memory.scatter(bytes.span, into: frame, at: 0) }
    return opening
  }

  // MARK: Reports

  /// Tells the control plane of a heartbeat over VXLAN.
  private mutating func puntHeartbeat(
    _ frame: Frame, link: EndpointIndex, _ source: OuterSource, snapshot: ForwardingSnapshot
  ) {
    let name = PeerName(bits: snapshot.endpoints[Int(link.number)].name)
    // What a heartbeat is too short for is 0, which is no connection's number and no length.
    let isWhole = frame.length >= 24
    let uid = isWhole ? memory.word(of: frame, at: 14).byteSwapped : 0
    let announced = isWhole ? UInt16(truncatingIfNeeded: memory.word(of: frame, at: 16) >> 48) : 0
    report(
      ControlFrame(
        name: name, overlay: .vxlan, kind: .heartbeat, source: source.address,
        frameLength: Int(frame.length), announcedLength: announced.byteSwapped,
        connectionUID: uid))
    memory.give(frame)
  }

  /// Counts a frame as handed to the control plane, if there is room for the report.
  mutating func report(_ frame: ControlFrame) {
    guard controlFrames.append(frame) else {
      counters.add(1, to: WorkerCounter.index(of: .controlRingFull))
      return
    }
    reportCount &+= 1
    counters.add(1, to: WorkerCounter.punted.rawValue)
  }
}

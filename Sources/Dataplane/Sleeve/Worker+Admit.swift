// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import Forwarding
internal import Inet
internal import Tables
internal import Telemetry

extension Worker {
  /// Deals with what is not for a station (`Verdict.unpack`): keeps a datagram of sleeve, which is
  /// open by now, for `unpackAll`, or tells the control plane of a heartbeat.
  @inline(never)
  mutating func admit(_ row: Int, snapshot: ForwardingSnapshot) {
    let frame = batch.frames[row]
    let source = OuterSource(bits: batch.sourceKeys[row])
    let origin = Location(bits: batch.origins[row])
    guard !origin.isPeer else {
      puntHeartbeat(frame, link: origin.endpoint, source, snapshot: snapshot)
      return
    }
    let link = EndpointIndex(UInt16(truncatingIfNeeded: batch.destinationKeys[row]))
    datagrams.append(.init(records: frame, link: link, source: source))
  }

  // MARK: Reports

  /// Tells the control plane of a heartbeat over VXLAN.
  ///
  /// In clear and from an address that is not known to be the neighbour's, anybody may have sent
  /// it: then it has to be well-formed, and there is a bound to how many are told.
  private mutating func puntHeartbeat(
    _ frame: Frame, link: EndpointIndex, _ source: OuterSource, snapshot: ForwardingSnapshot
  ) {
    let record = snapshot.endpoints[Int(link.number)]
    // What a heartbeat is too short for is 0, which is no connection's number and no length.
    let isWhole = frame.length >= 24
    let uid = isWhole ? memory.word(of: frame, at: 14).byteSwapped : 0
    let announced =
      isWhole ? UInt16(truncatingIfNeeded: memory.word(of: frame, at: 16) >> 48).byteSwapped : 0
    if record.takesClear, !record.isFrom(source.address.address) {
      guard UInt32(announced) == frame.length, strangers.areAllowed(at: cintrinsics_ticks()) else {
        return drop(frame, .specialMisplaced)
      }
      strangers.note()
    }
    report(
      ControlFrame(
        name: PeerName(bits: record.name), overlay: .vxlan, kind: .heartbeat,
        source: source.address, frameLength: Int(frame.length), announcedLength: announced,
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

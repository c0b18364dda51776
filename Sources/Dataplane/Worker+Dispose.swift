// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Telemetry

extension Worker {
  /// Carries out every frame's verdict: frames in a row that go through one port are sent together,
  /// the others, and the first that cannot be sent, one by one.
  ///
  /// Datagrams of sleeve and what is sealed are sent in the end, when the others are on their way.
  @inline(__always)
  mutating func disposeAll(snapshot: ForwardingSnapshot) {
    let end = batch.rows.upperBound
    var row = 0
    while row < end {
      let sentCount = sendRun(from: row)
      if sentCount == 0 { dispose(row, snapshot: snapshot) }
      row &+= max(sentCount, 1)
    }
    if packer.isHolding { flush(snapshot: snapshot) }
  }

  /// Sends the frames from `first` on that go through the same port; returns how many were sent.
  @inline(__always)
  private mutating func sendRun(from first: Int) -> Int {
    let verdict = batch.verdicts[first]
    guard verdict.isForPort else { return 0 }
    let slot = ports.slot(for: Location(bits: verdict.bits).port)
    guard slot < PortTable.capacity else { return 0 }
    let count = ports.send(&batch, from: first, slot, memory: &memory)
    counters.add(UInt64(count), to: WorkerCounter.sent.rawValue)
    return count
  }

  /// Carries out one frame's verdict; afterwards the frame is the kernel's, or a part of an open
  /// datagram, or waits to be sealed, or its chunk is free.
  @inline(__always)
  mutating func dispose(_ index: Int, snapshot: ForwardingSnapshot) {
    let frame = batch.frames[index]
    let verdict = batch.verdicts[index]
    if verdict.isForPort {
      send(frame, to: Location(bits: verdict.bits).port, row: index, snapshot: snapshot)
    } else if let reason = verdict.dropReason {
      drop(frame, reason)
    } else if verdict == .flood {
      flood(frame, row: index, snapshot: snapshot)
    } else {
      disposeOther(frame, row: index, snapshot: snapshot)
    }
  }

  @inline(never)
  private mutating func disposeOther(_ frame: Frame, row: Int, snapshot: ForwardingSnapshot) {
    let verdict = batch.verdicts[row]
    if let endpoint = verdict.packEndpoint {
      let source = entry(of: row, snapshot: snapshot)
      pack(frame, for: endpoint, from: source, snapshot: snapshot)
    } else if let endpoint = verdict.tooLongEndpoint {
      answerTooLong(frame, row: row, to: endpoint, snapshot: snapshot)
    } else {
      assert(verdict == .unpack, "every stage list ends in a verdict")
      admit(row, snapshot: snapshot)
    }
  }

  /// Deals with a frame that does not fit the way to an endpoint.
  private mutating func answerTooLong(
    _ frame: Frame, row: Int, to endpoint: EndpointIndex, snapshot: ForwardingSnapshot
  ) {
    let record = snapshot.endpoints[Int(endpoint.number)]
    let isPeer = record.name != PeerName.unknown.bits || record.shortID != PeerEntry.nobody
    answerTooLong(
      frame, row: row, to: isPeer ? Location(peer: endpoint) : Location(endpoint),
      limit: Int(record.frameLengthMax), snapshot: snapshot)
  }

  @inline(__always)
  mutating func drop(_ frame: Frame, _ reason: DropReason) {
    counters.add(1, to: WorkerCounter.index(of: reason))
    memory.give(frame)
  }

  /// Sends a frame of the batch, or one that was made of it, to a port; one that is too long for a
  /// station's is not lost without an answer.
  @inline(__always)
  mutating func send(
    _ frame: Frame, to port: PortIndex, row: Int, snapshot: ForwardingSnapshot
  ) {
    let slot = ports.slot(for: port)
    guard slot < PortTable.capacity else { return sendElsewhere(frame, to: port) }
    let limit = ports.frameLengthMax(of: slot)
    // To the underlay it has outer headers already.
    guard frame.length <= limit || ports.kind(of: slot) == .underlay else {
      return answerTooLong(
        frame, row: row, to: Location(port), limit: Int(limit), snapshot: snapshot)
    }
    send(frame, through: slot)
  }

  /// Sends a frame to a port; one that is too long for it is dropped.
  @inline(__always)
  mutating func send(_ frame: Frame, to port: PortIndex) {
    let slot = ports.slot(for: port)
    guard slot < PortTable.capacity else { return sendElsewhere(frame, to: port) }
    send(frame, through: slot)
  }

  /// Sends a frame to a port that has no queue here.
  @inline(never)
  private mutating func sendElsewhere(_ frame: Frame, to port: PortIndex) {
    let carrier = ports.slot(for: port)
    guard carrier != PortTable.none else { return drop(frame, .portGone) }
    handOver(frame, to: Int(carrier & ~PortTable.carrierBit), port: port)
  }

  @inline(__always)
  mutating func send(_ frame: Frame, through slot: UInt16) {
    guard frame.length <= ports.frameLengthMax(of: slot) else {
      return drop(frame, .tooLongForPort)
    }
    guard ports.send(frame, slot, memory: &memory) else { return drop(frame, .transmitRingFull) }
    counters.add(1, to: WorkerCounter.sent.rawValue)
  }
}

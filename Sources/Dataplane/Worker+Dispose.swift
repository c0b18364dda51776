// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Tables
internal import Telemetry

extension Worker {
  /// Carries out every frame's verdict: frames in a row that go through one port are sent together,
  /// the others, and the first that cannot be sent, one by one.
  @inline(__always)
  mutating func disposeAll(snapshot: ForwardingSnapshot) {
    let end = batch.rows.upperBound
    var row = 0
    while row < end {
      let sentCount = sendRun(from: row)
      if sentCount == 0 { dispose(row, snapshot: snapshot) }
      row &+= max(sentCount, 1)
    }
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

  /// Carries out one frame's verdict; afterwards the frame is the kernel's or its chunk is free.
  @inline(__always)
  mutating func dispose(_ index: Int, snapshot: ForwardingSnapshot) {
    let frame = batch.frames[index]
    let verdict = batch.verdicts[index]
    if verdict.isForPort {
      send(frame, to: Location(bits: verdict.bits).port)
    } else if let reason = verdict.dropReason {
      drop(frame, reason)
    } else {
      assert(verdict == .flood, "every stage list ends in a verdict")
      flood(frame, row: index, snapshot: snapshot)
    }
  }

  @inline(__always)
  mutating func drop(_ frame: Frame, _ reason: DropReason) {
    counters.add(1, to: WorkerCounter.index(of: reason))
    memory.give(frame.address)
  }

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

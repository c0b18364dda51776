// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Telemetry

extension Worker {
  /// Hands a frame to the worker that serves its port.
  @inline(never)
  mutating func handOver(_ frame: Frame, to carrier: Int, port: PortIndex) {
    if desk.send(frame, to: carrier, port: port.number, from: memory) {
      counters.add(1, to: WorkerCounter.handedOver.rawValue)
    } else {
      counters.add(1, to: WorkerCounter.index(of: .handOverRingFull))
    }
    memory.give(frame)
  }

  /// Sends what other workers handed over, up to a batch from each; returns how many frames.
  @inline(never)
  mutating func takeOver() -> Int {
    var count = 0
    for place in 0..<desk.peerCount {
      let before = count
      counters.begin()
      while count &- before < Batch.capacity, let handed = desk.next(at: place, into: &memory) {
        counters.add(1, to: WorkerCounter.takenOver.rawValue)
        sendHanded(handed)
        count &+= 1
      }
      counters.end()
      if count > before { desk.release(at: place) }
    }
    return count
  }

  private mutating func sendHanded(_ handed: HandedFrame) {
    guard let frame = handed.frame else {
      return counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
    }
    let slot = ports.slot(for: PortIndex(handed.port))
    // Nobody hands on: a port that left in between is gone.
    guard slot < PortTable.capacity else { return drop(frame, .portGone) }
    send(frame, through: slot)
  }
}

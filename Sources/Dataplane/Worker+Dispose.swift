// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Tables
internal import Telemetry

extension Worker {
  /// Carries out one frame's verdict; afterwards the frame is the kernel's or its chunk is free.
  @inline(__always)
  mutating func dispose(_ index: Int, snapshot: ForwardingSnapshot) {
    let frame = batch.frames[index]
    switch batch.verdicts[index] {
    case .forward(let location): send(frame, to: location.port)
    case .flood: flood(frame, from: Location(bits: batch.origins[index]), snapshot: snapshot)
    case .drop(let reason): drop(frame, reason)
    case .undecided: assertionFailure("every stage list ends in a verdict")
    }
  }

  @inline(__always)
  mutating func drop(_ frame: Frame, _ reason: DropReason) {
    counters.add(1, to: WorkerCounter.index(of: reason))
    memory.give(frame.address)
  }

  @inline(__always)
  private mutating func send(_ frame: Frame, to port: PortIndex) {
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

  /// Sends a frame to every port, and unless an endpoint sent it to every endpoint, but not back.
  ///
  /// The last receiver gets the frame itself, those before it copies. Each copy counts as `copied`
  /// and then has an end of its own, also one that could not be made.
  private mutating func flood(_ frame: Frame, from origin: Location, snapshot: ForwardingSnapshot) {
    var waiting: Location?
    let floodPorts = snapshot.floodPorts
    for index in 0..<floodPorts.count {
      let next = Location(PortIndex(floodPorts[index]))
      guard next != origin else { continue }
      if let receiver = waiting { sendCopy(of: frame, to: receiver, snapshot: snapshot) }
      waiting = next
    }
    if !origin.isEndpoint {
      let floodEndpoints = snapshot.floodEndpoints
      for index in 0..<floodEndpoints.count {
        if let receiver = waiting { sendCopy(of: frame, to: receiver, snapshot: snapshot) }
        waiting = Location(EndpointIndex(floodEndpoints[index]))
      }
    }
    guard let receiver = waiting else { return drop(frame, .nobodyToFloodTo) }
    deliver(frame, to: receiver, snapshot: snapshot)
  }

  private mutating func sendCopy(
    of frame: Frame, to receiver: Location, snapshot: ForwardingSnapshot
  ) {
    counters.add(1, to: WorkerCounter.copied.rawValue)
    guard let copy = memory.copy(frame) else {
      counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
      return
    }
    deliver(copy, to: receiver, snapshot: snapshot)
  }

  private mutating func deliver(
    _ frame: Frame, to receiver: Location, snapshot: ForwardingSnapshot
  ) {
    guard receiver.isEndpoint else { return send(frame, to: receiver.port) }
    var outer = frame
    switch EncapsulateStage.encapsulate(
      &outer, for: receiver.endpoint, memory: &memory, snapshot: snapshot)
    {
    case .forward(let location): send(outer, to: location.port)
    case .drop(let reason): drop(outer, reason)
    case .flood, .undecided: assertionFailure("encapsulation forwards or drops")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Telemetry

extension Worker {
  /// Sends a frame to every port, and on over the overlay, but not back: what came from a port goes
  /// to every endpoint of the flood list, what a peer sent along that peer's tree, and what a
  /// configured endpoint sent to no endpoint.
  ///
  /// The last receiver gets the frame itself, those before it copies. Each copy counts as `copied`
  /// and then has an end of its own, also one that could not be made.
  mutating func flood(_ frame: Frame, row: Int, snapshot: ForwardingSnapshot) {
    let origin = Location(bits: batch.origins[row])
    var waiting: Location?
    let floodPorts = snapshot.floodPorts
    for index in 0..<floodPorts.count {
      let next = Location(PortIndex(floodPorts[index]))
      guard next != origin else { continue }
      if let receiver = waiting { sendCopy(of: frame, to: receiver, nil, snapshot: snapshot) }
      waiting = next
    }
    if origin.isPeer {
      return passOn(frame, batch.networks[row].source, waiting: waiting, snapshot: snapshot)
    }
    if !origin.isEndpoint {
      let floodEndpoints = snapshot.floodEndpoints
      for index in 0..<floodEndpoints.count {
        if let receiver = waiting { sendCopy(of: frame, to: receiver, nil, snapshot: snapshot) }
        waiting = Location(EndpointIndex(floodEndpoints[index]))
      }
    }
    guard let receiver = waiting else { return drop(frame, .nobodyToFloodTo) }
    deliver(frame, to: receiver, nil, snapshot: snapshot)
  }

  /// Passes the flood of another peer, with the short number `source`, on along that peer's tree,
  /// after the port that is `waiting` for it.
  @inline(never)
  private mutating func passOn(
    _ frame: Frame, _ source: ShortID, waiting first: Location?, snapshot: ForwardingSnapshot
  ) {
    var waiting = first
    if let peer = snapshot.peer(source) {
      let relays = snapshot.relays
      for place in peer.relayPlaces(of: relays.count) {
        if let receiver = waiting { sendCopy(of: frame, to: receiver, source, snapshot: snapshot) }
        waiting = Location(peer: EndpointIndex(relays[place]))
      }
    }
    guard let receiver = waiting else { return drop(frame, .nobodyToFloodTo) }
    deliver(frame, to: receiver, source, snapshot: snapshot)
  }

  /// Sends a copy; `source` is the peer whose flood it is, nil if it is our own.
  private mutating func sendCopy(
    of frame: Frame, to receiver: Location, _ source: ShortID?, snapshot: ForwardingSnapshot
  ) {
    counters.add(1, to: WorkerCounter.copied.rawValue)
    guard let copy = memory.copy(frame) else {
      counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
      return
    }
    deliver(copy, to: receiver, source, snapshot: snapshot)
  }

  private mutating func deliver(
    _ frame: Frame, to receiver: Location, _ source: ShortID?, snapshot: ForwardingSnapshot
  ) {
    guard receiver.isEndpoint else { return send(frame, to: receiver.port) }
    var outer = frame
    let verdict =
      if let source {
        EncapsulateStage.encapsulate(
          &outer, for: receiver.endpoint, of: source, memory: &memory, snapshot: snapshot)
      } else {
        EncapsulateStage.encapsulate(
          &outer, for: receiver.endpoint, memory: &memory, snapshot: snapshot)
      }
    if let reason = verdict.dropReason {
      drop(outer, reason)
    } else {
      send(outer, to: Location(bits: verdict.bits).port)
    }
  }
}

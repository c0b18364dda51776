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
      if let receiver = waiting { sendCopy(of: frame, to: receiver, row: row, snapshot: snapshot) }
      waiting = next
    }
    if origin.isPeer { return passOn(frame, row: row, waiting: waiting, snapshot: snapshot) }
    if !origin.isEndpoint {
      let floodEndpoints = snapshot.floodEndpoints
      for index in 0..<floodEndpoints.count {
        if let receiver = waiting {
          sendCopy(of: frame, to: receiver, row: row, snapshot: snapshot)
        }
        waiting = Location(EndpointIndex(floodEndpoints[index]))
      }
    }
    guard let receiver = waiting else { return drop(frame, .nobodyToFloodTo) }
    deliver(frame, to: receiver, row: row, snapshot: snapshot)
  }

  /// Passes the flood of another peer on along that peer's tree, after the port that is `waiting`
  /// for it.
  @inline(never)
  private mutating func passOn(
    _ frame: Frame, row: Int, waiting first: Location?, snapshot: ForwardingSnapshot
  ) {
    var waiting = first
    // Without a short number of the sender's nobody could be told whose flood it is.
    if let peer = numberedOrigin(of: row, snapshot) {
      let relays = snapshot.relays
      for place in peer.relayPlaces(of: relays.count) {
        if let receiver = waiting {
          sendCopy(of: frame, to: receiver, row: row, snapshot: snapshot)
        }
        waiting = Location(peer: EndpointIndex(relays[place]))
      }
    }
    guard let receiver = waiting else { return drop(frame, .nobodyToFloodTo) }
    deliver(frame, to: receiver, row: row, snapshot: snapshot)
  }

  /// The peer where a frame entered the mesh, if it has a short number.
  @inline(__always)
  private func numberedOrigin(of row: Int, _ snapshot: ForwardingSnapshot) -> PeerEntry? {
    let endpoints = snapshot.endpoints
    let origin = Int(Location(bits: batch.origins[row]).endpoint.number)
    guard origin < endpoints.count, endpoints[origin].shortID != PeerEntry.nobody else {
      return nil
    }
    return snapshot.peer(batch.networks[row].source)
  }

  private mutating func sendCopy(
    of frame: Frame, to receiver: Location, row: Int, snapshot: ForwardingSnapshot
  ) {
    counters.add(1, to: WorkerCounter.copied.rawValue)
    guard let copy = memory.copy(frame) else {
      counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
      return
    }
    deliver(copy, to: receiver, row: row, snapshot: snapshot)
  }

  private mutating func deliver(
    _ frame: Frame, to receiver: Location, row: Int, snapshot: ForwardingSnapshot
  ) {
    guard receiver.isEndpoint else {
      return send(frame, to: receiver.port, row: row, snapshot: snapshot)
    }
    var outer = frame
    let verdict = encapsulate(&outer, for: receiver.endpoint, row: row, snapshot: snapshot)
    if verdict.isForPort {
      send(outer, to: Location(bits: verdict.bits).port)
    } else {
      deliverOther(outer, verdict, to: receiver, row: row, snapshot: snapshot)
    }
  }

  /// Our own frames have our own number in the network identifier, those of other peers theirs.
  @inline(__always)
  private mutating func encapsulate(
    _ frame: inout Frame, for endpoint: EndpointIndex, row: Int, snapshot: ForwardingSnapshot
  ) -> Verdict {
    guard Location(bits: batch.origins[row]).isPeer else {
      return EncapsulateStage.encapsulate(
        &frame, for: endpoint, memory: &memory, snapshot: snapshot)
    }
    return EncapsulateStage.encapsulate(
      &frame, for: endpoint, of: batch.networks[row].source, memory: &memory, snapshot: snapshot)
  }

  @inline(never)
  private mutating func deliverOther(
    _ frame: Frame, _ verdict: Verdict, to receiver: Location, row: Int,
    snapshot: ForwardingSnapshot
  ) {
    if let reason = verdict.dropReason {
      drop(frame, reason)
    } else if let endpoint = verdict.packEndpoint {
      let source = entry(of: row, snapshot: snapshot)
      pack(frame, for: endpoint, from: source, snapshot: snapshot)
    } else {
      let record = snapshot.endpoints[Int(receiver.endpoint.number)]
      answerTooLong(
        frame, row: row, to: receiver, limit: Int(record.frameLengthMax), snapshot: snapshot)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Wire

/// What becomes of the frame in a record of sleeve, by the names of the two peers that it is
/// between: the same as of a packet of VXLAN with two short numbers, which they need not have.
struct RecordFate {
  /// Undecided if the frame is for us, a relay if it is for another peer.
  var verdict: Verdict
  /// The peer whose frame it is.
  var origin = Location(bits: 0)
  /// Both short numbers; of no use if the sender has none.
  var network = VirtualNetwork(bits: 0)

  /// Judges by a record's header; `link` is what the datagram came over.
  @inline(__always)
  init(
    _ fields: SleeveRecordFields, from link: EndpointRecord, _ snapshot: ForwardingSnapshot
  ) {
    let endpoints = snapshot.endpoints
    guard fields.source != snapshot.name else {
      verdict = .drop(.meshLoop)
      return
    }
    guard let sender = snapshot.peer(named: fields.source), Int(sender.number) < endpoints.count
    else {
      verdict = .drop(.peerUnknown)
      return
    }
    origin = Location(peer: sender)
    let number = endpoints[Int(sender.number)].shortID
    let source = ShortID(truncating: UInt32(number))
    guard fields.destination != snapshot.name else {
      // Nobody reads our own number in it, so it does not matter if we have none.
      network = VirtualNetwork(
        from: source, to: ShortID(truncating: UInt32(snapshot.shortID)))
      verdict = .undecided
      return
    }
    // It went out already to whom it is for, and is on no way that leads anywhere.
    guard fields.source != fields.destination else {
      verdict = .drop(.meshLoop)
      return
    }
    guard let receiver = snapshot.peer(named: fields.destination),
      Int(receiver.number) < endpoints.count
    else {
      verdict = .drop(.peerUnknown)
      return
    }
    let record = endpoints[Int(receiver.number)]
    // VXLAN could not say whose frame it is.
    guard number != PeerEntry.nobody || record.overlay == .sleeve else {
      verdict = .drop(.peerUnknown)
      return
    }
    network = VirtualNetwork(
      from: source, to: ShortID(truncating: UInt32(record.shortID)))
    verdict = RecordFate.relay(to: receiver, record, from: link, snapshot)
  }

  /// A relay, unless the next hop is the neighbour that the datagram came from, by this overlay or
  /// the other one: while peers do not agree on the routes, two of them would toss it back and
  /// forth.
  private static func relay(
    to peer: EndpointIndex, _ record: EndpointRecord, from link: EndpointRecord,
    _ snapshot: ForwardingSnapshot
  ) -> Verdict {
    guard record.isResolved else { return .drop(.nextHopUnresolved) }
    if leads(record, alike: link) { return .drop(.meshLoop) }
    let endpoints = snapshot.endpoints
    if record.overlay == .vxlan,
      let other = snapshot.link(to: PeerName(bits: link.name), by: .vxlan),
      Int(other.number) < endpoints.count, leads(record, alike: endpoints[Int(other.number)])
    {
      return .drop(.meshLoop)
    }
    return .relay(peer)
  }

  /// Whether two ways have the same next hop: neighbours may share an address, not a port of it.
  private static func leads(_ record: EndpointRecord, alike other: EndpointRecord) -> Bool {
    record.template.destination == other.template.destination
      && record.template.destinationPort == other.template.destinationPort
  }
}

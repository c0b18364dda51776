// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Telemetry
internal import Wire

/// Sends what the two ends of an overlay say to each other: heartbeats and tests.
///
/// They are frames whose Ethernet header is all zero. Each travels by itself, so that its length is
/// the length that is tested, and without regard to what is believed to fit.
extension Worker {
  /// Orders that are carried out in one breath at most; the others wait for the next.
  static var ordersMax: Int { 256 }

  /// Makes and sends the frames that the control plane ordered; returns how many orders it took.
  @inline(never)
  mutating func takeOrders(snapshot: ForwardingSnapshot) -> Int {
    var count = 0
    counters.begin()
    while count < Worker.ordersMax, let order = orders.next() {
      carryOut(order, snapshot: snapshot)
      count &+= 1
    }
    if packer.isHolding { flush(snapshot: snapshot) }
    counters.end()
    orders.release()
    return count
  }

  /// Carries out one order; nothing becomes of it if the link is gone or leads nowhere.
  private mutating func carryOut(_ order: ControlOrder, snapshot: ForwardingSnapshot) {
    let name = PeerName(bits: order.name)
    guard let link = snapshot.link(to: name, by: order.overlay) else { return }
    let endpoints = snapshot.endpoints
    guard Int(link.number) < endpoints.count else { return }
    let record = endpoints[Int(link.number)]
    guard record.isResolved && record.overlay == order.overlay else { return }
    counters.add(1, to: WorkerCounter.generated.rawValue)
    guard let frame = make(order) else {
      counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
      return
    }
    guard order.overlay == .sleeve else { return sendByVXLAN(frame, link, snapshot: snapshot) }
    sendAlone(
      frame, record, from: .own(snapshot), isFragmentable: order.isFragmentable,
      tooLong: .tooLongForPort, snapshot: snapshot)
  }

  private mutating func sendByVXLAN(
    _ frame: Frame, _ link: EndpointIndex, snapshot: ForwardingSnapshot
  ) {
    var outer = frame
    let verdict = EncapsulateStage.encapsulate(
      &outer, for: link, memory: &memory, snapshot: snapshot)
    if let location = verdict.location {
      send(outer, to: location.port)
    } else if verdict.packEndpoint != nil {
      pack(outer, for: link, from: .own(snapshot), snapshot: snapshot)
    } else {
      drop(outer, verdict.dropReason ?? .tooLongForUnderlay)
    }
  }

  /// The frame that was ordered; nil if too few chunks are free.
  private mutating func make(_ order: ControlOrder) -> Frame? {
    let length = min(max(Int(order.frameLength), Worker.leastLength(of: order)), Int(UInt16.max))
    guard let frame = memory.takeChain(length: length) else { return nil }
    packer.scratch.clear(length)
    if order.isHeartbeat {
      var bytes = packer.scratch.mutableBytes(0..<length)
      bytes.store(order.connectionUID, at: EthernetHeader.length)
      if order.overlay == .vxlan {
        bytes.store(UInt16(truncatingIfNeeded: length), at: SleeveSpecialFrame.heartbeatLength)
      }
    }
    memory.write(packer.scratch, length: length, into: frame)
    return frame
  }

  /// The Ethernet header; of a heartbeat the connection, too, and by VXLAN the length behind it.
  private static func leastLength(of order: ControlOrder) -> Int {
    guard order.isHeartbeat else { return EthernetHeader.length }
    return SleeveSpecialFrame.heartbeatLength &+ (order.overlay == .vxlan ? 2 : 0)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import Wire

/// What a host that shares our keys would read out of our ESP packets.
final class ESPReader {
  private let keys: FrameKeys
  private let place: UInt16
  private let tunnel: Tunnel
  private let network: VirtualNetwork?

  /// Reads what the host at the tunnel's near end sends, which is the first one.
  init(_ tunnel: Tunnel) throws {
    let keys = FrameKeys()
    guard let link = try WeftTransport.esp(isFirst: false).link,
      let place = link.keys.flatMap({ keys.add($0.opening) }),
      let sender = link.remote.laboratoryShortID, let receiver = link.own.laboratoryShortID
    else { throw ScenarioError(.unavailable, "there is no room for the far end's key") }
    self.keys = keys
    self.tunnel = tunnel
    network = VirtualNetwork(from: sender, to: receiver)
    self.place = place
  }

  /// The frame in a packet; nil if the packet is not as it should be.
  func frame(in packet: [UInt8]) -> [UInt8]? {
    guard case .opened(let opened) = openESP(packet.span), opened.source == tunnel.local,
      opened.destination == tunnel.remote, let ethernet = EthernetHeader(packet.span),
      ethernet.source == tunnel.localMAC, ethernet.destination == tunnel.remoteMAC
    else { return nil }
    var sealed = Array(packet[opened.offset..<opened.offset + opened.length])
    var bytes = sealed.mutableSpan
    guard keys.open(&bytes, key: place) == .done,
      let inner = VXLANOpened(
        packet: sealed.span, source: opened.source, destination: opened.destination),
      inner.destinationPort == WeftTransport.meshPort, inner.network == network
    else { return nil }
    return Array(sealed[inner.innerOffset..<inner.innerOffset + inner.innerLength])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport

/// What data planes and the network do with special frames of overlays.
extension World {
  private static let fastdpPort: UInt16 = 6784

  /// Where a host's datagrams seem to come from.
  private func visible(_ number: Int) -> SocketAddress {
    guard let gateway = hosts[number].gateway else { return hosts[number].address }
    return SocketAddress(gateway, port: UInt16(20_000 + number))
  }

  func send(_ probe: OverlayProbe, from number: Int) {
    let neighbours = hosts[number].machine.forwarding.neighbours
    guard let neighbour = neighbours.first(where: { $0.name == probe.peer }) else {
      return expect(false, number, "the link of a probe is told")
    }
    let link = probe.overlay == .fastdp ? neighbour.fastdp : neighbour.sleeve
    guard let remote = link?.remote else {
      return expect(false, number, "a probe has somewhere to go")
    }
    guard let other = receiver(of: probe.overlay, at: remote), passes(probe.overlay, number, other)
    else { return }
    let isSealed = neighbour.isSealed
    guard fits(probe, isSealed: isSealed, from: number, to: other, at: remote) else { return }
    let special = probe.heard(from: hosts[number].options.name, at: source(probe.overlay, number))
    let incarnation = hosts[other].incarnation
    let seal = link?.security?.sealing.map { Seal(key: $0, connectionUID: neighbour.connectionUID) }
    expect((seal != nil) == isSealed, number, "a probe is sealed if it has to be")
    for _ in 0..<(chance(of10000: conditions.duplicatesPer10000) ? 2 : 1) {
      let wait = chance(of10000: conditions.latePer10000) ? delay() * 20 : delay()
      let event =
        seal.map { Event.sealed(host: other, incarnation: incarnation, special, $0) }
        ?? .input(host: other, incarnation: incarnation, .special(special))
      schedule(event, after: wait)
    }
  }

  /// The host that gets what is sent there; a NAT lets in only what its host asked for, which is
  /// sleeve, as VXLAN comes to another port than it goes from.
  private func receiver(of overlay: OverlayKind, at remote: SocketAddress) -> Int? {
    switch overlay {
    case .sleeve: hosts.indices.first { visible($0) == remote }
    case .fastdp:
      hosts.indices.first {
        hosts[$0].gateway == nil && hosts[$0].address.address == remote.address
          && remote.port == Self.fastdpPort
      }
    }
  }

  private func source(_ overlay: OverlayKind, _ number: Int) -> SocketAddress {
    var source = visible(number)
    if overlay == .fastdp { source.port = 49_152 + UInt16(number) }
    return source
  }

  private func passes(_ overlay: OverlayKind, _ number: Int, _ other: Int) -> Bool {
    let way = Conditions.Way(from: number, to: other)
    return hosts[other].life == .up && conditions.isOpen(number, other)
      && !conditions.deafForDatagrams.contains(way)
      && conditions.deafForOverlay[overlay]?.contains(way) != true
      && !chance(of10000: conditions.lossPer10000)
  }

  /// Whether a frame is not too long for the way, or may be fragmented on it.
  private func fits(
    _ probe: OverlayProbe, isSealed: Bool, from number: Int, to other: Int,
    at remote: SocketAddress
  ) -> Bool {
    let length = probe.packetLength(isSealed: isSealed)
    if probe.isFragmentable { return true }
    guard length <= hosts[number].options.underlayMTU else { return false }
    let pathMTU = conditions.pathMTUs[.init(from: number, to: other)] ?? 1500
    guard length > pathMTU else { return true }
    if conditions.hasRouters {
      let input = MeshInput.datagramTooLong(destination: remote, pathMTU: pathMTU)
      let incarnation = hosts[number].incarnation
      schedule(.input(host: number, incarnation: incarnation, input), after: delay())
    }
    return false
  }
}

extension OverlayProbe {
  /// Bytes of the IP packet that carries it.
  fileprivate func packetLength(isSealed: Bool) -> Int {
    if overlay == .fastdp, isSealed {
      // IPv4, SPI and number, IV, UDP, VXLAN, trailer and what fills up to 4 bytes, tag.
      return 20 + 16 + (18 + frameLength + 3) / 4 * 4 + 16
    }
    return overlay == .fastdp ? frameLength + 36 : frameLength + 14 + (isSealed ? 30 : 6) + 28
  }

  /// What the other end hears of it.
  fileprivate func heard(from peer: PeerName, at source: SocketAddress) -> OverlaySpecial {
    let content: OverlaySpecial.Content =
      if let connectionUID {
        .heartbeat(
          connectionUID: connectionUID, announcedLength: overlay == .fastdp ? frameLength : 0)
      } else if frameLength == 60_001 { .fragmentationTest } else { .lengthTest }
    return OverlaySpecial(
      overlay: overlay, peer: peer, source: source, frameLength: frameLength, content: content)
  }
}

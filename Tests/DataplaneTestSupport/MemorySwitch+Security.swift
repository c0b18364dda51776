// SPDX-License-Identifier: Apache-2.0

import Dataplane
package import Forwarding
package import Inet
package import Routing
package import Sealing
import Tables

/// How frames travel between the switch and one neighbour.
package enum NeighbourWay: Sendable, Equatable {
  /// As VXLAN in clear.
  case plainVXLAN
  /// As VXLAN in ESP.
  case sealedVXLAN
  /// By sleeve, in clear.
  case plainSleeve
  /// By sleeve, sealed.
  case sealedSleeve(CipherSuite)

  /// By which overlay.
  package var overlay: Overlay {
    switch self {
    case .plainVXLAN, .sealedVXLAN: .vxlan
    case .plainSleeve, .sealedSleeve: .sleeve
    }
  }

  /// How packets are sealed; nil if they are not.
  package var suite: CipherSuite? {
    switch self {
    case .plainVXLAN, .plainSleeve: nil
    case .sealedVXLAN: .aes256gcm
    case .sealedSleeve(let suite): suite
    }
  }
}

/// How a switch joins a mesh whose neighbours are reached in several ways.
package struct SecurityOptions {
  /// By neighbour, from 1 on; neighbours 1 and 2 are always there.
  package var ways: [Int: NeighbourWay] = [1: .sealedVXLAN, 2: .sealedVXLAN]
  /// Whether the switch dialled its neighbours, and not they the switch.
  package var isOutbound = true
  /// The longest UDP payload of sleeve that the underlay carries in one piece.
  package var datagramLengthMax = 1472
  /// Whether longer ones may be sent for the underlay to fragment.
  package var mayFragment = false
  /// The longest frame that the socket port carries.
  package var socketFrameLengthMax = 3840

  /// Neighbours 1 and 2 by sealed VXLAN.
  package init() {}
}

/// What `joinSecurely` made, by number from 1.
package struct SecureMesh {
  /// Where the peers' stations are.
  package var peers: [Int: EndpointIndex] = [:]
  /// Links to neighbours, each by the overlay of its way.
  package var links: [Int: EndpointIndex] = [:]
  /// In the switch's keys: where the ones are for what is sent to neighbours.
  package var sealing: [Int: UInt16] = [:]
  /// In the switch's keys: where the ones are for what comes from neighbours.
  package var opening: [Int: UInt16] = [:]
  /// What the neighbours seal and open with.
  package let others = FrameKeys()
  /// In the neighbours' keys: where the ones are for what they send to the switch.
  package var othersSealing: [Int: UInt16] = [:]
  /// In the neighbours' keys: where the ones are for what comes to them from the switch.
  package var othersOpening: [Int: UInt16] = [:]
}

extension MemorySwitch {
  /// Joins a mesh whose neighbours are reached as `security` says.
  ///
  /// Peers with a way are neighbours, peer 3 is behind peer 2 unless it has one. Own floods go to
  /// all neighbours, those of a peer to all neighbours but the one that it is behind.
  package func joinSecurely(
    _ security: SecurityOptions = SecurityOptions()
  ) throws -> SecureMesh {
    model.addPort(MemorySwitch.sockets, receivesFloods: false)
    try start(
      MemorySwitch.sockets, kind: .underlay, frameLengthMax: security.socketFrameLengthMax)
    var mesh = SecureMesh()
    for neighbour in security.ways.keys.sorted() {
      try exchangeKeys(with: neighbour, security, &mesh)
      try addLink(to: neighbour, security, &mesh)
    }
    let numbers = Set(security.ways.keys).union([3])
    for number in numbers.sorted() {
      mesh.peers[number] = try found(
        model.addPeer(
          named: MemorySwitch.peerName(number), underlayPort: MemorySwitch.underlay))
    }
    for (number, index) in mesh.peers {
      let neighbour = security.ways[number] == nil ? 2 : number
      model.setPeer(
        index, shortID: ShortID(MemorySwitch.peerShortID(number)),
        path: try path(to: neighbour, security, mesh),
        broadcast: security.ways.keys.sorted().filter { $0 != neighbour }
          .compactMap { mesh.peers[$0] })
    }
    model.setMesh(
      shortID: ShortID(MemorySwitch.meshShortIDs[0]), port: MemorySwitch.meshPort,
      sleevePort: MemorySwitch.sleevePort, name: MemorySwitch.peerNames[0])
    model.setMeshFlood(security.ways.keys.sorted().compactMap { mesh.peers[$0] })
    model.setNeighbours(
      Dictionary(
        uniqueKeysWithValues: security.ways.map { (peerAddress($0.key), $0.value.suite != nil) }))
    publish()
    return mesh
  }

  /// What a peer is called; peer 0 is the switch itself.
  package static func peerName(_ number: Int) -> PeerName {
    PeerName(bits: peerNames[0].bits + UInt64(number))
  }

  /// A peer's short number; peer 0 is the switch itself.
  package static func peerShortID(_ number: Int) -> UInt16 {
    number < meshShortIDs.count ? meshShortIDs[number] : 0xE00 + UInt16(number)
  }

  private func addLink(
    to neighbour: Int, _ security: SecurityOptions, _ mesh: inout SecureMesh
  ) throws {
    let way = try found(security.ways[neighbour])
    let link = try found(
      model.addLink(
        to: MemorySwitch.peerName(neighbour), by: way.overlay,
        underlayPort: MemorySwitch.underlay))
    model.setLink(
      link, shortID: ShortID(MemorySwitch.peerShortID(neighbour)),
      path: try path(to: neighbour, security, mesh),
      receives: LinkReception(
        isReceiving: true, opening: mesh.opening[neighbour],
        identifiers: way == .sealedVXLAN
          ? [MemorySwitch.identifier(from: neighbour, way.overlay)] : []))
    mesh.links[neighbour] = link
  }

  /// The way to a neighbour.
  package func path(
    to neighbour: Int, _ security: SecurityOptions, _ mesh: SecureMesh
  ) throws -> EndpointPath {
    var path = vxlanPath(to: neighbour)
    path.sealing = mesh.sealing[neighbour]
    switch try found(security.ways[neighbour]) {
    case .plainVXLAN: break
    case .sealedVXLAN: path.innerLengthMax = espFrameLengthMax
    case .plainSleeve, .sealedSleeve:
      path.destinationPort = MemorySwitch.sleevePort
      path.innerLengthMax =
        security.datagramLengthMax - (mesh.sealing[neighbour] == nil ? 6 + 14 : 30 + 14)
      path.sleeve = EndpointPath.Sleeve(
        sourcePort: MemorySwitch.sleevePort, datagramLengthMax: security.datagramLengthMax,
        fragmentPort: MemorySwitch.sockets, mayFragment: security.mayFragment)
    }
    return path
  }

  /// The longest frame that fits the underlay in ESP: Ethernet 14, IPv4 20, SPI, number and IV 16
  /// and tag 16 are around the text, which is UDP and VXLAN 16, the frame and 2 bytes, and a
  /// multiple of 4.
  package var espFrameLengthMax: Int { (options.frameLengthMax + 50 - 66) / 4 * 4 - 18 }

  // MARK: Keys

  /// What a neighbour names the key with that it seals what it sends with: of sealed VXLAN the SPI.
  package static func identifier(
    from neighbour: Int, _ overlay: Overlay, generation: Int = 0
  ) -> UInt32 {
    (overlay == .vxlan ? 0x1000_0000 : 0) + UInt32(neighbour + 8 * generation)
  }

  /// What the switch names the key with that it seals what it sends to a neighbour with.
  package static func identifier(
    to neighbour: Int, _ overlay: Overlay, generation: Int = 0
  ) -> UInt32 {
    (overlay == .vxlan ? 0x2000_0000 : 64) + UInt32(neighbour + 8 * generation)
  }

  /// Makes the keys of both directions, in place of those that `mesh` names, which stay.
  ///
  /// A later `generation` is another key; up to seven come after the first.
  package func exchangeKeys(
    with neighbour: Int, _ security: SecurityOptions, _ mesh: inout SecureMesh,
    generation: Int = 0
  ) throws {
    let way = try found(security.ways[neighbour])
    guard let suite = way.suite else { return }
    func key(isFromSwitch: Bool, isSealing: Bool) throws -> FrameKey {
      let base = try found(SessionKey(bytes: MemorySwitch.keyBytes(neighbour)))
      guard suite != .secretbox else {
        return FrameKey(
          secretbox: base, isSenderOutbound: security.isOutbound == isFromSwitch,
          isSealing: isSealing)
      }
      let identifier =
        isFromSwitch
        ? MemorySwitch.identifier(to: neighbour, way.overlay, generation: generation)
        : MemorySwitch.identifier(from: neighbour, way.overlay, generation: generation)
      return FrameKey(
        suite, layout: way.overlay == .vxlan ? .esp : .sleeve, isSealing: isSealing,
        identifier: identifier, from: base,
        nonce: [UInt8](repeating: UInt8(truncatingIfNeeded: identifier), count: 32),
        info: isFromSwitch ? [1] : [2])
    }
    mesh.sealing[neighbour] = try found(keys.add(key(isFromSwitch: true, isSealing: true)))
    mesh.opening[neighbour] = try found(keys.add(key(isFromSwitch: false, isSealing: false)))
    mesh.othersSealing[neighbour] = try found(
      mesh.others.add(key(isFromSwitch: false, isSealing: true)))
    mesh.othersOpening[neighbour] = try found(
      mesh.others.add(key(isFromSwitch: true, isSealing: false)))
  }

  /// The key of the connection to a neighbour.
  package static func keyBytes(_ neighbour: Int) -> [UInt8] {
    (0..<32).map { UInt8(truncatingIfNeeded: 50 * neighbour + $0) }
  }
}

private func found<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw MemorySwitchError.missing }
  return value
}

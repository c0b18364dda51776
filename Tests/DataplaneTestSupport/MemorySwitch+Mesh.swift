// SPDX-License-Identifier: Apache-2.0

package import Forwarding
package import Inet
import Routing
import TestSupport

extension MemorySwitch {
  /// The UDP port at which packets of the mesh arrive.
  package static let meshPort: UInt16 = 6784

  /// The switch's own short number and those of its peers after `joinMesh`.
  package static let meshShortIDs: [UInt16] = [0xA0A, 0xB0B, 0xC0C, 0xD0D]

  /// Joins a mesh with peers 1 to 3, and returns where they are.
  ///
  /// Peers 1 and 2 are neighbours, peer 3 is behind peer 2. Own floods go to peers 1 and 2, those
  /// of peer 1 on to peer 2, those of peers 2 and 3 on to peer 1.
  package func joinMesh() throws -> [Int: EndpointIndex] {
    var peers: [Int: EndpointIndex] = [:]
    for number in 1...3 { peers[number] = try addPeer(shortID: nil, nextHop: nil) }
    for (number, index) in peers {
      let nextHop = options.areEndpointsResolved ? min(number, 2) : nil
      setPeer(
        index, shortID: MemorySwitch.meshShortIDs[number], nextHop: nextHop,
        broadcast: [peers[number == 1 ? 2 : 1]].compactMap(\.self))
    }
    let own = ShortID(MemorySwitch.meshShortIDs[0])
    model.setMesh(shortID: own, port: MemorySwitch.meshPort)
    model.setMeshFlood([1, 2].compactMap { peers[$0] })
    model.setNeighbours([peerAddress(1): false, peerAddress(2): false])
    publish()
    return peers
  }

  /// Adds a peer whose frames go to the neighbour `nextHop`, nil if it cannot be reached.
  ///
  /// `broadcast` are the peers that its floods are passed on to. Nothing is published.
  package func addPeer(
    shortID: UInt16?, nextHop: Int?, broadcast: [EndpointIndex] = []
  ) throws -> EndpointIndex {
    let added = model.addPeer(underlayPort: MemorySwitch.underlay)
    guard let index = added else { throw MemorySwitchError.missing }
    setPeer(index, shortID: shortID, nextHop: nextHop, broadcast: broadcast)
    return index
  }

  /// Says anew what `addPeer` says; nothing is published.
  package func setPeer(
    _ index: EndpointIndex, shortID: UInt16?, nextHop: Int?, broadcast: [EndpointIndex] = []
  ) {
    model.setPeer(
      index, shortID: shortID.flatMap { ShortID($0) }, path: nextHop.map { path(to: $0) },
      broadcast: broadcast)
  }

  /// The worker knows all that the model knows with its next breath.
  package func publish() {
    let isComplete = model.commit()
    precondition(isComplete, "a snapshot has room")
  }

  private func path(to peer: Int) -> EndpointPath {
    EndpointPath(
      sourceMAC: MemorySwitch.ownMAC, destinationMAC: peerMAC(peer),
      source: MemorySwitch.ownAddress, destination: peerAddress(peer),
      destinationPort: MemorySwitch.meshPort, network: VirtualNetwork(bits: 0xABCDEF),
      innerLengthMax: options.frameLengthMax)
  }
}

/// The underlay address of a test's peer.
package func peerAddress(_ number: Int) -> IPv4Address {
  IPv4Address(bits: 0xC633_6400 + UInt32(number))
}

/// The underlay MAC address of a test's peer.
package func peerMAC(_ number: Int) -> MACAddress {
  MACAddress(bits: 0x02_00_00_00_CC_00 + UInt64(number))
}

/// The location behind a peer.
package func behind(peer index: EndpointIndex) -> Location { Location(peer: index) }

/// A network identifier by the two short numbers that are in it.
package func meshNetwork(from source: UInt16, to destination: UInt16) -> UInt32 {
  UInt32(destination) << 12 | UInt32(source)
}

/// The outer frame that carries `inner` from a neighbour to us, with a network identifier.
package func meshOuter(fromPeer peer: Int, _ inner: [UInt8], network: UInt32) -> [UInt8] {
  FrameBuilder(
    sourceMAC: peerMAC(peer), destinationMAC: MemorySwitch.ownMAC,
    source: peerAddress(peer), destination: MemorySwitch.ownAddress
  ).vxlan(network: network, inner: inner, destinationPort: MemorySwitch.meshPort)
}

/// The outer frame that we shall send to a neighbour, from this UDP port.
package func meshOuter(
  toPeer peer: Int, _ inner: [UInt8], network: UInt32, sourcePort: UInt16
) -> [UInt8] {
  FrameBuilder(
    sourceMAC: MemorySwitch.ownMAC, destinationMAC: peerMAC(peer),
    source: MemorySwitch.ownAddress, destination: peerAddress(peer)
  ).vxlan(
    network: network, inner: inner, destinationPort: MemorySwitch.meshPort, sourcePort: sourcePort)
}

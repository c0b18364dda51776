// SPDX-License-Identifier: Apache-2.0

import Dataplane
package import Forwarding
package import Inet
package import Routing
import Sealing
import Tables

/// How a switch joins a mesh whose neighbours are reached by sleeve.
package struct SleeveOptions {
  /// Keys of the connections to neighbours 1 and 2, 32 bytes each; without one nothing is sealed.
  package var keys: [Int: [UInt8]] = [:]
  /// Whether the switch dialled its neighbours, and not they the switch.
  package var isOutbound = true
  /// The longest UDP payload that the underlay carries in one piece.
  package var datagramLengthMax = 1472
  /// Whether longer ones may be sent for the underlay to fragment.
  package var mayFragment = false
  /// Neighbours to whom frames go as VXLAN although they have a sleeve.
  package var neighboursByVXLAN: Set<Int> = []
  /// The longest frame that the socket port carries.
  package var socketFrameLengthMax = 3840

  /// Neighbours by sleeve, in the clear.
  package init() {}
}

/// What `joinSleeve` made, by number from 1.
package struct SleeveMesh {
  /// Where the peers' stations are.
  package var peers: [Int: EndpointIndex] = [:]
  /// Links to neighbours 1 and 2 by sleeve.
  package var sleeveLinks: [Int: EndpointIndex] = [:]
  /// Links to neighbours 1 and 2 by VXLAN.
  package var vxlanLinks: [Int: EndpointIndex] = [:]
  /// Where the keys are for what is sent to neighbours with keys.
  package var sealing: [Int: UInt16] = [:]
  /// Where the keys are for what comes from neighbours with keys.
  package var opening: [Int: UInt16] = [:]
}

extension MemorySwitch {
  /// The UDP port at which datagrams of sleeve arrive.
  package static let sleevePort: UInt16 = 6783
  /// The port that stands for the kernel's UDP sockets, there after `joinSleeve`.
  package static let sockets = PortIndex(10)
  /// What the switch itself and its peers are called after `joinSleeve`.
  package static let peerNames: [PeerName] = (0..<4).map {
    PeerName(bits: 0x0A_00_00_00_00_A0 + $0)
  }

  /// Joins the mesh of `joinMesh`, with names and sleeves.
  ///
  /// Peers 1 and 2 are neighbours, peer 3 is behind peer 2. Own floods go to peers 1 and 2, those
  /// of peer 1 on to peer 2, those of peers 2 and 3 on to peer 1.
  package func joinSleeve(_ sleeve: SleeveOptions = SleeveOptions()) throws -> SleeveMesh {
    model.addPort(MemorySwitch.sockets, receivesFloods: false)
    try start(
      MemorySwitch.sockets, kind: .underlay, frameLengthMax: sleeve.socketFrameLengthMax)
    var mesh = SleeveMesh()
    for neighbour in 1...2 { try addLinks(to: neighbour, sleeve, &mesh) }
    for number in 1...3 {
      let name = MemorySwitch.peerNames[number]
      mesh.peers[number] = try found(
        model.addPeer(named: name, underlayPort: MemorySwitch.underlay))
    }
    for (number, index) in mesh.peers {
      let neighbour = min(number, 2)
      model.setPeer(
        index, shortID: ShortID(MemorySwitch.meshShortIDs[number]),
        path: sleeve.neighboursByVXLAN.contains(neighbour)
          ? vxlanPath(to: neighbour) : sleevePath(to: neighbour, sleeve, mesh),
        broadcast: [mesh.peers[number == 1 ? 2 : 1]].compactMap(\.self))
    }
    model.setMesh(
      shortID: ShortID(MemorySwitch.meshShortIDs[0]), port: MemorySwitch.meshPort,
      sleevePort: MemorySwitch.sleevePort, name: MemorySwitch.peerNames[0])
    model.setMeshFlood([1, 2].compactMap { mesh.peers[$0] })
    model.setNeighbours([peerAddress(1): false, peerAddress(2): false])
    publish()
    return mesh
  }

  private func addLinks(
    to neighbour: Int, _ sleeve: SleeveOptions, _ mesh: inout SleeveMesh
  ) throws {
    if let bytes = sleeve.keys[neighbour] {
      let key = try found(SessionKey(bytes: bytes))
      mesh.sealing[neighbour] = try found(
        keys.add(
          FrameKey(secretbox: key, isSenderOutbound: sleeve.isOutbound, isSealing: true)))
      mesh.opening[neighbour] = try found(
        keys.add(
          FrameKey(secretbox: key, isSenderOutbound: !sleeve.isOutbound, isSealing: false)))
    }
    let name = MemorySwitch.peerNames[neighbour]
    let shortID = ShortID(MemorySwitch.meshShortIDs[neighbour])
    let link = try found(
      model.addLink(to: name, by: .sleeve, underlayPort: MemorySwitch.underlay))
    model.setLink(
      link, shortID: shortID, path: sleevePath(to: neighbour, sleeve, mesh),
      receives: LinkReception(isReceiving: true, opening: mesh.opening[neighbour]))
    mesh.sleeveLinks[neighbour] = link
    let other = try found(
      model.addLink(to: name, by: .vxlan, underlayPort: MemorySwitch.underlay))
    model.setLink(other, shortID: shortID, path: vxlanPath(to: neighbour))
    mesh.vxlanLinks[neighbour] = other
  }

  /// The way to a neighbour by sleeve.
  package func sleevePath(
    to neighbour: Int, _ sleeve: SleeveOptions, _ mesh: SleeveMesh
  ) -> EndpointPath {
    var path = vxlanPath(to: neighbour)
    let overhead = mesh.sealing[neighbour] == nil ? 6 + 14 : 30 + 14
    path.destinationPort = MemorySwitch.sleevePort
    path.innerLengthMax = sleeve.datagramLengthMax - overhead
    path.sealing = mesh.sealing[neighbour]
    path.sleeve = EndpointPath.Sleeve(
      sourcePort: MemorySwitch.sleevePort, datagramLengthMax: sleeve.datagramLengthMax,
      fragmentPort: MemorySwitch.sockets, mayFragment: sleeve.mayFragment)
    return path
  }

  /// The way to a neighbour as VXLAN.
  package func vxlanPath(to neighbour: Int) -> EndpointPath {
    EndpointPath(
      sourceMAC: MemorySwitch.ownMAC, destinationMAC: peerMAC(neighbour),
      source: MemorySwitch.ownAddress, destination: peerAddress(neighbour),
      destinationPort: MemorySwitch.meshPort, network: VirtualNetwork(bits: 0xABCDEF),
      innerLengthMax: options.frameLengthMax)
  }

  /// Every report of a neighbour's frame since the last call.
  package func takeControlFrames() -> [ControlFrame] {
    var taken: [ControlFrame] = []
    while let frame = controlFrames.next() { taken.append(frame) }
    controlFrames.release()
    return taken
  }

  /// Orders a frame; the worker sends it with its next breath.
  package func order(_ order: ControlOrder) {
    precondition(orders.append(order), "the ring of orders has room")
    orders.publish()
  }
}

private func found<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw MemorySwitchError.missing }
  return value
}

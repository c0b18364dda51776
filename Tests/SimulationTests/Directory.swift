// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh

/// What the data plane of a host knows, made ready to be asked often.
struct Directory {
  let shortID: ShortID?
  let broadcast: [PeerName]
  let peers: [PeerName: MeshForwarding.Peer]
  let nextHops: [ShortID: PeerName?]

  init(_ forwarding: MeshForwarding) {
    shortID = forwarding.shortID
    broadcast = forwarding.broadcast
    peers = Dictionary(forwarding.peers.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    var nextHops: [ShortID: PeerName?] = [:]
    for peer in forwarding.peers {
      if let shortID = peer.shortID { nextHops[shortID] = .some(peer.nextHop) }
    }
    self.nextHops = nextHops
  }
}

extension World {
  func directory(_ number: Int) -> Directory {
    if let known = directories[number] { return known }
    let directory = Directory(hosts[number].machine.forwarding)
    directories[number] = directory
    return directory
  }

  /// Sends a packet from host to host as data planes do, by VXLAN, which knows the two only by
  /// their short numbers, or if one has none by sleeve; why it is lost, or nil.
  func lossOfPacket(from source: Int, to destination: Int, hostOf: [PeerName: Int]) -> String? {
    let name = hosts[destination].options.name
    let shortID = directory(source).peers[name]?.shortID
    let isNumbered = shortID != nil && directory(source).shortID != nil
    var place = source
    for _ in 0...hosts.count {
      let directory = directory(place)
      let isThere = isNumbered ? directory.shortID == shortID : place == destination
      if place != source || place == destination, isThere {
        return place == destination
          ? nil : "host \(place) takes what host \(source) sends to host \(destination)"
      }
      let onward =
        isNumbered
        ? shortID.flatMap { directory.nextHops[$0] ?? nil } : directory.peers[name]?.nextHop
      guard let hop = onward, let next = hostOf[hop] else {
        return "host \(place) has no way for what host \(source) sends to host \(destination)"
      }
      place = next
    }
    return "what host \(source) sends to host \(destination) goes in circles"
  }

  /// Floods from a host along the trees; why somebody does not get it once, or nil.
  func problemOfFlood(from source: Int, hostOf: [PeerName: Int]) -> String? {
    let name = hosts[source].options.name
    var copies: [Int: Int] = [:]
    var waiting = directory(source).broadcast
    while let next = waiting.popLast() {
      guard let place = hostOf[next] else { return "host \(source) floods to \(next)" }
      copies[place, default: 0] += 1
      if copies[place] == 2 || place == source {
        return "host \(place) gets a flood of host \(source) twice"
      }
      waiting += directory(place).peers[name]?.broadcast ?? []
    }
    let missing = living.first { $0 != source && copies[$0] == nil && hostOf.values.contains($0) }
    return missing.map { "host \($0) gets no flood of host \(source)" }
  }
}

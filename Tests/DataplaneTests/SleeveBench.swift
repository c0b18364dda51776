// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// A switch whose neighbours 1 and 2 are reached by sleeve, with station 11 behind peer 1, 12
/// behind peer 2 and 13 behind peer 3, whose next hop is neighbour 2, too.
struct SleeveBench {
  let bridge: MemorySwitch
  let mesh: SleeveMesh
  let sleeve: SleeveOptions

  /// A record as a datagram has it.
  struct Record: Equatable {
    let source: PeerName
    let destination: PeerName
    let frame: [UInt8]
  }

  init(
    _ sleeve: SleeveOptions = SleeveOptions(),
    _ change: (inout MemorySwitch.Options) -> Void = { _ in }
  )
    throws
  {
    var options = MemorySwitch.Options()
    options.endpointCount = 0
    change(&options)
    bridge = try MemorySwitch(options)
    mesh = try bridge.joinSleeve(sleeve)
    self.sleeve = sleeve
    for peer in 1...3 {
      bridge.learn(10 + peer, at: behind(peer: try #require(mesh.peers[peer])))
    }
    bridge.worker.breathe(times: 2)
  }

  /// All of the frames arrive at a port and are dealt with in one breath; returns what left.
  func pass(_ frames: [[UInt8]], into port: PortIndex = port(0)) throws -> [PortIndex: [[UInt8]]] {
    let memory = try #require(bridge.ports[port])
    for bytes in frames { try #require(memory.arrive(bytes)) }
    #expect(bridge.worker.breathe() == frames.count)
    return bridge.drain()
  }

  /// Every frame has its end and every chunk is known.
  func check() throws {
    bridge.worker.breathe(times: 2)
    let account = try bridge.account
    #expect(account.isBalanced)
    #expect(account.held == 0)
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
  }

  /// The UDP payload of what leaves for a neighbour, whose outer headers are as they must be.
  func payload(_ outer: [UInt8], toPeer peer: Int) -> [UInt8] {
    let payload = Array(outer.dropFirst(42))
    #expect(outer == sleeveOuter(toPeer: peer, payload))
    return payload
  }

  /// The records in what leaves for a neighbour, taken apart with nothing of the product's code but
  /// the box.
  func records(_ outer: [UInt8], toPeer peer: Int) throws -> [Record] {
    let payload = payload(outer, toPeer: peer)
    #expect(Array(payload.prefix(6)) == octets(MemorySwitch.peerNames[0].bits, 6))
    var bytes = Array(payload.dropFirst(6))
    if let key = sleeve.keys[peer] {
      let opened = openedDatagram(payload, key: key, isOutbound: sleeve.isOutbound)
      bytes = try #require(opened).records
    }
    return try #require(splitRecords(bytes)).map {
      Record(source: $0.source, destination: $0.destination, frame: $0.frame)
    }
  }

  /// A record from one of the peers to another.
  static func record(_ source: Int, _ destination: Int, _ frame: [UInt8]) -> Record {
    Record(
      source: MemorySwitch.peerNames[source], destination: MemorySwitch.peerNames[destination],
      frame: frame)
  }
}

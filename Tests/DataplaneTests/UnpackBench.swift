// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// A switch of a mesh whose neighbours have sleeves, as `joinSleeve` makes them: neighbour 1 in the
/// clear, neighbour 2 sealed.
struct UnpackBench {
  static let key = [UInt8](0..<32)
  static let names = MemorySwitch.peerNames

  let bridge: MemorySwitch
  let mesh: SleeveMesh
  let sleeve: SleeveOptions

  init(
    _ options: MemorySwitch.Options = MemorySwitch.Options(), byVXLAN neighbours: Set<Int> = []
  ) throws {
    var sleeve = SleeveOptions()
    sleeve.keys = [2: UnpackBench.key]
    sleeve.neighboursByVXLAN = neighbours
    self.sleeve = sleeve
    bridge = try MemorySwitch(options)
    mesh = try bridge.joinSleeve(sleeve)
  }

  /// Where stations behind a peer are.
  func behind(_ peer: Int) throws -> Location { try Location(peer: #require(mesh.peers[peer])) }

  /// A datagram with these records from a neighbour, sealed if that is how he sends them.
  func datagram(
    from neighbour: Int, _ records: [[UInt8]], number: UInt64 = 0, isFragmentable: Bool = false
  ) -> [UInt8] {
    guard sleeve.keys[neighbour] != nil else {
      return sleeveDatagram(from: UnpackBench.names[neighbour], records)
    }
    return sealedDatagram(
      from: UnpackBench.names[neighbour], records, key: UnpackBench.key, number: number,
      isFragmentable: isFragmentable, isOutbound: !sleeve.isOutbound)
  }

  /// A datagram arrives from a neighbour's address, whatever it is.
  @discardableResult
  func pass(_ datagram: [UInt8], via neighbour: Int) throws -> [PortIndex: [[UInt8]]] {
    try bridge.pass(sleeveOuter(fromPeer: neighbour, datagram), into: MemorySwitch.underlay)
  }

  /// A datagram with these records arrives from a neighbour; peer 0 is the switch itself.
  @discardableResult
  func pass(
    _ records: [(from: Int, to: Int, frame: [UInt8])], via neighbour: Int, number: UInt64 = 0
  ) throws -> [PortIndex: [[UInt8]]] {
    let records = records.map { sleeveRecord(from: $0.from, to: $0.to, $0.frame) }
    return try pass(datagram(from: neighbour, records, number: number), via: neighbour)
  }

  /// What a datagram that the switch sent says; nil if it is none for a neighbour.
  func records(
    of sent: [UInt8]?, to neighbour: Int
  ) -> [(source: PeerName, destination: PeerName, frame: [UInt8])]? {
    guard let sent, sent.count >= 48 else { return nil }
    let payload = Array(sent[42...])
    guard sent == sleeveOuter(toPeer: neighbour, payload),
      PeerName(octets: payload.prefix(6)) == UnpackBench.names[0]
    else { return nil }
    guard sleeve.keys[neighbour] != nil else { return splitRecords(Array(payload[6...])) }
    return openedDatagram(payload, key: UnpackBench.key, isOutbound: sleeve.isOutbound)
      .flatMap { splitRecords($0.records) }
  }

  /// Whether the books balance and no chunk is lost, with everything sent.
  func isInOrder() throws -> Bool {
    _ = bridge.drain()
    bridge.worker.breathe(times: 1)
    let account = try bridge.account
    return account.isBalanced && account.held == 0
      && bridge.knownChunkCount == bridge.options.frameCount
  }
}

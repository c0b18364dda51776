// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport
import Testing

/// What one switch sends in ESP, another one opens.
struct SealedPairTests {
  /// The switch that the other one takes for its neighbour 1: it has that one's number, takes the
  /// other for its own neighbour 1, and opens what the other seals for that.
  private func receiver() throws -> DecryptBench {
    let bench = try DecryptBench()
    let identifier = MemorySwitch.identifier(to: 1, .vxlan)
    let key = FrameKey(
      .aes256gcm, layout: .esp, isSealing: false, identifier: identifier,
      from: try #require(SessionKey(bytes: MemorySwitch.keyBytes(1))),
      nonce: [UInt8](repeating: UInt8(truncatingIfNeeded: identifier), count: 32), info: [1])
    let opening = try #require(bench.bridge.keys.add(key))
    let path = try bench.bridge.path(to: 1, bench.security, bench.mesh)
    bench.bridge.model.setLink(
      try #require(bench.mesh.links[1]), shortID: ShortID(MeshBench.own), path: path,
      receives: LinkReception(isReceiving: true, opening: opening, identifiers: [identifier]))
    bench.bridge.model.setPeer(
      try #require(bench.mesh.peers[1]), shortID: ShortID(MeshBench.own), path: path,
      broadcast: [])
    bench.bridge.model.setMesh(
      shortID: ShortID(MeshBench.shortIDs[1]), port: MemorySwitch.meshPort,
      sleevePort: MemorySwitch.sleevePort, name: MemorySwitch.peerNames[1])
    bench.bridge.learn(11, at: Location(port(2)))
    return bench
  }

  /// Hands over what left the sender for its neighbour 1.
  private func carry(_ sent: [[UInt8]], to receiver: DecryptBench) throws -> [[UInt8]] {
    let outers = sent.map { DecryptBench.outer(Array($0.dropFirst(34)), from: 1) }
    return try receiver.pass(all: outers)[port(2)] ?? []
  }

  @Test func framesOfEveryLengthArriveAsTheyWereSent() throws {
    let sender = try SecureBench()
    let receiver = try receiver()
    let longest = sender.bridge.espFrameLengthMax
    let lengths = Array(14..<334) + Array(longest - 63...longest)
    for start in stride(from: 0, to: lengths.count, by: 64) {
      let frames = lengths[start..<start + 64].map { opaqueFrame(from: 1, to: 11, length: $0) }
      let sent = try sender.pass(frames)
      try #require(sent.count == 64 && sent.allSatisfy { $0[23] == 50 })
      #expect(try carry(sent, to: receiver) == frames)
    }
    let index = try #require(receiver.mesh.peers[1])
    #expect(receiver.bridge.takeHints().allSatisfy { $0.location == Location(peer: index) })
    try sender.check()
    #expect(try receiver.isInOrder())
  }

  @Test func heartbeatArrives() throws {
    let sender = try SecureBench()
    let receiver = try receiver()
    sender.bridge.order(
      ControlOrder(
        name: MemorySwitch.peerNames[1], overlay: .vxlan, frameLength: 1390, connectionUID: 7))
    sender.bridge.worker.breathe(times: 1)
    let sent = sender.bridge.drain()[MemorySwitch.underlay] ?? []
    #expect(sent.count == 1 && sent.first?[23] == 50)
    #expect(try carry(sent, to: receiver).isEmpty)
    let reports = receiver.bridge.takeControlFrames()
    #expect(reports.map(\.kind) == [.heartbeat] && reports.map(\.connectionUID) == [7])
    #expect(reports.map(\.frameLength) == [1390] && reports.map(\.announcedLength) == [1390])
    #expect(try receiver.isInOrder())
  }
}

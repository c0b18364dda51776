// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Telemetry
import TestSupport
import Testing

@testable import Dataplane
import DataplaneTestSupport

/// Where frames go, and what they look like when they leave.
struct WorkerTests {
  @Test func unknownUnicastGoesToEverybodyButNotBack() throws {
    let bridge = try MemorySwitch()
    let inner = frame(from: 1, to: 2)
    let sent = try bridge.pass(inner, into: port(1))
    #expect(Set(sent.keys) == [port(0), port(2), MemorySwitch.underlay])
    #expect(sent[port(0)] == [inner])
    #expect(sent[port(2)] == [inner])
    let outers = try #require(sent[MemorySwitch.underlay])
    try #require(outers.count == 2)
    for endpoint in 0..<2 {
      #expect(outers[endpoint] == outer(to: endpoint, inner, sourcePort: sourcePort(outers[0])))
    }
    #expect(try bridge.account.copied == 3)
  }

  @Test func broadcastGoesToEverybodyButNotBack() throws {
    let bridge = try MemorySwitch()
    let request = FrameBuilder(sourceMAC: stationMAC(1)).arpRequest()
    let sent = try bridge.pass(request, into: port(0))
    #expect(Set(sent.keys) == [port(1), port(2), MemorySwitch.underlay])
  }

  @Test func knownUnicastGoesToItsPortAlone() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    let inner = frame(from: 1, to: 2)
    #expect(try bridge.pass(inner, into: port(0)) == [port(2): [inner]])
    #expect(try bridge.account.copied == 0)
  }

  @Test(arguments: [0, 1, 45, 46, 1000, 1472])
  func encapsulatedFrameIsTheOneThatRFC7348Describes(payloadLength: Int) throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(endpoint: 1))
    let inner = frame(from: 1, to: 2, payloadLength: payloadLength)
    let sent = try bridge.pass(inner, into: port(0))
    #expect(Set(sent.keys) == [MemorySwitch.underlay])
    let outers = try #require(sent[MemorySwitch.underlay])
    try #require(outers.count == 1)
    #expect(sourcePort(outers[0]) >= 49_152)
    #expect(outers[0] == outer(to: 1, inner, sourcePort: sourcePort(outers[0])))
  }

  @Test func framesOfOneFlowLeaveFromOneUDPPort() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(endpoint: 1))
    let ports = try [10, 500, 900].map { length in
      let inner = frame(from: 1, to: 2, payloadLength: length)
      let outers = try bridge.pass(inner, into: port(0))[MemorySwitch.underlay]
      return sourcePort(try #require(outers?.first))
    }
    #expect(Set(ports).count == 1)
  }

  @Test(arguments: [0, 1, 45, 46, 1000, 1472])
  func decapsulatedFrameIsTheInnerFrame(payloadLength: Int) throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2, payloadLength: payloadLength)
    let sent = try bridge.pass(outer(from: 0, inner), into: MemorySwitch.underlay)
    #expect(sent == [port(1): [inner]])
  }

  @Test func paddingBehindTheOuterPacketIsCutOff() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2)
    let padded = outer(from: 0, inner) + [1, 2, 3, 4, 5]
    #expect(try bridge.pass(padded, into: MemorySwitch.underlay) == [port(1): [inner]])
  }

  @Test func floodFromAnEndpointGoesToPortsOnly() throws {
    let bridge = try MemorySwitch()
    let inner = FrameBuilder(sourceMAC: stationMAC(1)).arpRequest()
    let sent = try bridge.pass(outer(from: 0, inner), into: MemorySwitch.underlay)
    #expect(sent == [port(0): [inner], port(1): [inner], port(2): [inner]])
  }

  @Test func copiesOfAFloodDoNotShareBytes() throws {
    let bridge = try MemorySwitch()
    let first = frame(from: 1, to: 2)
    let second = frame(from: 3, to: 4, payloadLength: 21)
    let memory = try #require(bridge.ports[port(0)])
    #expect(memory.arrive(first) && memory.arrive(second))
    _ = bridge.worker.breathe()
    let sent = bridge.drain()
    #expect(sent[port(1)] == [first, second])
    #expect(sent[port(2)] == [first, second])
  }

  @Test func breathTakesABatchFromEveryQueueAndKeepsTheOrder() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    let frames = (0..<100).map { frame(from: 1, to: 2, payloadLength: $0) }
    let memory = try #require(bridge.ports[port(0)])
    for bytes in frames { #expect(memory.arrive(bytes)) }
    #expect(bridge.worker.breathe() == Batch.capacity)
    #expect(bridge.worker.breathe() == 100 - Batch.capacity)
    #expect(bridge.worker.breathe() == 0)
    #expect(bridge.drain()[port(2)] == frames)
  }

  @Test func portCountsItsFramesAndBytes() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    let inner = frame(from: 1, to: 2)
    try bridge.pass(inner, into: port(0))
    try bridge.pass(inner, into: port(0))
    let length = UInt64(inner.count)
    #expect(counters(bridge, port(0)) == [2, 2 * length, 0, 0])
    #expect(counters(bridge, port(2)) == [0, 0, 2, 2 * length])
  }

  @Test func portThatComesBackIsServedAgain() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    try bridge.stop(port(2))
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
    try bridge.start(port(2), kind: .station)
    let inner = frame(from: 1, to: 2)
    #expect(try bridge.pass(inner, into: port(0)) == [port(2): [inner]])
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
  }

  private func counters(_ bridge: MemorySwitch, _ port: PortIndex) -> [UInt64] {
    PortCounter.allCases.map { bridge.ends.portCounters(slot: port.number).value(at: $0.rawValue) }
  }

  private func sourcePort(_ outer: [UInt8]) -> UInt16 {
    UInt16(outer[34]) << 8 | UInt16(outer[35])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// What a trace says of frames, stage by stage.
struct TraceTests {
  @Test func frameForAnEndpointIsFollowedToTheUnderlay() throws {
    let bridge = try MemorySwitch()
    bridge.learn(1, at: behind(port: 0))
    bridge.learn(2, at: behind(endpoint: 1))
    let inner = frame(from: 1, to: 2)
    let record = try bridge.traced(inner, into: port(0))
    #expect(record.port == port(0) && !record.isUnderlay && record.worker == 0)
    #expect(record.receivedLength == inner.count && record.innerOffset == 0)
    #expect(beginning(record) == inner)
    #expect(record.origin == behind(port: 0) && record.acquaintance == .inPlace)
    #expect(record.finding == .station && record.destination == behind(endpoint: 1))
    #expect(record.isForEndpoint && record.exit == MemorySwitch.underlay)
    #expect(record.sentLength == inner.count + 50)
    #expect(record.drop == nil && record.sentCount == 1 && record.receiverCount == 1)
    #expect(record.ticks > 0)
  }

  @Test func frameFromAnEndpointIsFollowedFromTheUnderlay() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2, payloadLength: 300)
    let outer = outer(from: 0, inner)
    let record = try bridge.traced(outer, into: MemorySwitch.underlay)
    #expect(record.isUnderlay && record.port == MemorySwitch.underlay)
    #expect(record.receivedLength == outer.count)
    #expect(record.innerOffset == 50 && record.innerLength == inner.count)
    #expect(beginning(record) == Array(outer.prefix(TraceRecord.byteCountMax)))
    #expect(record.origin == behind(endpoint: 0) && record.acquaintance == .unknown)
    #expect(record.finding == .station && record.destination == behind(port: 1))
    #expect(!record.isForEndpoint && record.exit == port(1) && record.sentCount == 1)
    #expect(record.sentLength == inner.count && record.drop == nil)
  }

  @Test func senderThatMovedIsSaidToBeElsewhere() throws {
    let bridge = try MemorySwitch()
    bridge.learn(1, at: behind(endpoint: 1))
    let record = try bridge.traced(frame(from: 1, to: 2), into: port(0))
    #expect(record.acquaintance == .elsewhere && record.home == behind(endpoint: 1))
  }

  @Test func floodSaysToHowManyItWent() throws {
    let bridge = try MemorySwitch()
    let unknown = try bridge.traced(frame(from: 1, to: 2), into: port(0))
    #expect(unknown.finding == .unknown && unknown.isFlood)
    #expect(unknown.receiverCount == 4 && unknown.sentCount == 4 && unknown.drop == nil)
    let request = FrameBuilder(sourceMAC: stationMAC(1)).arpRequest()
    let group = try bridge.traced(outer(from: 0, request), into: MemorySwitch.underlay)
    #expect(group.finding == .group && group.isFlood)
    #expect(group.receiverCount == 3 && group.sentCount == 3)
  }

  @Test func floodThatLosesACopySaysWhy() throws {
    var options = MemorySwitch.Options()
    options.areEndpointsResolved = false
    let bridge = try MemorySwitch(options)
    let record = try bridge.traced(frame(from: 1, to: 2), into: port(0))
    #expect(record.receiverCount == 4 && record.sentCount == 2)
    #expect(record.drop == .nextHopUnresolved && record.dropStage == .end)
  }

  @Test func everyStageThatDropsIsNamedWithItsReason() throws {
    let inner = frame(from: 1, to: 2)
    let cases: [(TraceStage, DropReason, [UInt8], PortIndex, Location?)] = [
      (.open, .endpointUnknown, outer(from: 77, inner), MemorySwitch.underlay, nil),
      (.open, .outerNotUDP, FrameBuilder().arpRequest(), MemorySwitch.underlay, nil),
      (.parse, .frameTooShort, [1, 2, 3], port(0), nil),
      (.parse, .frameTooShort, [], port(0), nil),
      (.parse, .sourceNotStation, [UInt8](repeating: 255, count: 60), port(0), nil),
      (.lookUp, .samePort, inner, port(0), behind(port: 0)),
      (
        .lookUp, .splitHorizon, outer(from: 0, inner), MemorySwitch.underlay, behind(endpoint: 1)
      ),
      (
        .end, .tooLongForUnderlay, opaqueFrame(from: 1, to: 2, length: 1642), port(0),
        behind(endpoint: 1)
      ),
      (
        .end, .tooLongForPort, opaqueFrame(from: 1, to: 2, length: 1642), port(0),
        behind(port: 1)
      ),
      (.end, .portGone, inner, port(0), behind(port: 2)),
    ]
    for (stage, reason, bytes, port, location) in cases {
      let bridge = try MemorySwitch()
      if let location { bridge.learn(2, at: location) }
      if reason == .portGone { try bridge.stop(behind(port: 2).port) }
      let record = try bridge.traced(bytes, into: port)
      #expect(record.dropStage == stage && record.drop == reason, "\(record)")
      #expect(record.sentCount == 0)
      #expect(try bridge.account.dropped(reason) == 1)
    }
  }

  @Test func relayedFrameIsFollowedPastUs() throws {
    let bench = try MeshBench()
    let inner = frame(from: 1, to: 2)
    bench.bridge.startTrace(count: 2)
    try bench.pass(inner, via: 1, from: 1, to: 3)
    try bench.pass(inner, via: 1, from: 1)
    let records = bench.bridge.takeTrace()
    try #require(records.count == 2)
    let relayed = records[0]
    #expect(try relayed.origin == bench.behind(1) && relayed.destination == bench.behind(3))
    #expect(relayed.finding == .relay && relayed.acquaintance == .notAsked)
    #expect(relayed.isForEndpoint && relayed.exit == MemorySwitch.underlay)
    #expect(relayed.innerOffset == 50 && relayed.innerLength == inner.count)
    #expect(relayed.sentLength == inner.count + 50)
    #expect(relayed.drop == nil && relayed.sentCount == 1 && !relayed.isFlood)
    let passedOn = records[1]
    #expect(try passedOn.origin == bench.behind(1) && passedOn.isFlood)
    #expect(passedOn.receiverCount == 4 && passedOn.sentCount == 4)
  }

  @Test func floodThatNobodyReceivesHasNoReceivers() throws {
    var options = MemorySwitch.Options()
    options.stationPortCount = 1
    options.endpointCount = 0
    let bridge = try MemorySwitch(options)
    let record = try bridge.traced(frame(from: 1, to: 2), into: port(0))
    #expect(record.drop == .nobodyToFloodTo && record.dropStage == .end)
    #expect(record.receiverCount == 0 && record.sentCount == 0)
  }

  @Test func fullTransmitRingIsTheFramesEnd() throws {
    var options = MemorySwitch.Options()
    options.ringCapacity = 4
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 1))
    bridge.startTrace(count: 100)
    for _ in 0..<8 {
      #expect(try #require(bridge.ports[port(0)]).arrive(frame(from: 1, to: 2)))
      _ = bridge.worker.breathe()
    }
    let records = bridge.takeTrace()
    #expect(records.count == 8)
    #expect(records.filter { $0.drop == nil }.count == 4)
    #expect(records.last?.drop == .transmitRingFull && records.last?.dropStage == .end)
  }

  @Test func everyDropReasonHasAPlaceInATally() {
    #expect(DropReason.allCases.count <= 32)
    #expect(DropReason.allCases.map { Int($0.rawValue) } == Array(DropReason.allCases.indices))
  }

  private func beginning(_ record: TraceRecord) -> [UInt8] {
    (0..<Int(record.byteCount)).map { record.bytes[$0] }
  }
}

extension MemorySwitch {
  /// What a trace of one frame says of it.
  func traced(_ bytes: [UInt8], into port: PortIndex) throws -> TraceRecord {
    startTrace(count: 1)
    try pass(bytes, into: port)
    let records = takeTrace()
    try #require(records.count == 1)
    return records[0]
  }
}

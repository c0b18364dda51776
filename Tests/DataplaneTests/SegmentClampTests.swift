// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import TestSupport
import Testing
import Wire

/// TCP asks for segments that fit the overlay.
struct SegmentClampTests {
  private func makeSwitch() throws -> MemorySwitch {
    let bridge = try MemorySwitch()
    try bridge.stop(port(2))
    try bridge.start(port(2), kind: .station, frameLengthMax: 600)
    for station in 0...2 { bridge.learn(station, at: behind(port: station)) }
    bridge.learn(3, at: behind(endpoint: 0))
    bridge.worker.breathe(times: 1)
    return bridge
  }

  /// A SYN that asks for segments of 8960 bytes.
  private func syn(from source: Int, to destination: Int) -> [UInt8] {
    var segment: [UInt8] = [
      0x9C, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 255, 255, 0, 0, 0, 0,
    ]
    segment += [2, 4, 0x23, 0]
    return FrameBuilder(sourceMAC: stationMAC(source), destinationMAC: stationMAC(destination))
      .ipv4(protocolNumber: 6, payload: segment)
  }

  private func clamped(_ frame: [UInt8], mtu: Int) -> [UInt8] {
    var bytes = frame
    var span = bytes.mutableSpan
    _ = clampSegmentSize(of: &span, mtu: mtu)
    return bytes
  }

  @Test func whatLeavesForAnEndpointAsksForWhatFits() throws {
    let bridge = try makeSwitch()
    let sent = syn(from: 0, to: 3)
    let left = try bridge.pass(sent, into: port(0))
    let inner = left[MemorySwitch.underlay]?.first.map { Array($0.dropFirst(50)) }
    #expect(inner == clamped(sent, mtu: 1500) && inner != sent)
  }

  @Test func whatArrivesForAPortAsksForWhatFits() throws {
    let bridge = try makeSwitch()
    let sent = syn(from: 3, to: 2)
    let left = try bridge.pass(outer(from: 0, sent), into: MemorySwitch.underlay)
    #expect(left == [port(2): [clamped(sent, mtu: 586)]])
  }

  @Test func betweenPortsNothingIsTouched() throws {
    let bridge = try makeSwitch()
    let sent = syn(from: 0, to: 2)
    #expect(try bridge.pass(sent, into: port(0)) == [port(2): [sent]])
  }
}

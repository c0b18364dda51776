// SPDX-License-Identifier: Apache-2.0

import CAllocationCounter
import Dataplane
import DataplaneTestSupport
import Forwarding
import TestSupport
import Testing

/// Cutting, answering and clamping allocate nothing.
@Suite(.enabled(if: cac_is_available(), "a sanitizer replaces the allocator"))
struct TooLongAllocationTests {
  @Test func breathOfFramesThatDoNotFitAllocatesNothing() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.learn(3, at: behind(endpoint: 1))
    for _ in 0..<3 { _ = try countedBreath(bridge) }
    for _ in 0..<50 { #expect(try countedBreath(bridge) == 0) }
    let account = try bridge.account
    #expect(account.isBalanced && account.copied > 0 && account.generated > 0)
  }

  /// Allocations of one breath that cuts, answers, drops and clamps, to a port and an endpoint.
  private func countedBreath(_ bridge: MemorySwitch) throws -> UInt64 {
    let station = try #require(bridge.ports[port(0)])
    for destination in [2, 3] {
      var builder = FrameBuilder(
        sourceMAC: stationMAC(1), destinationMAC: stationMAC(destination))
      let payload = [UInt8](repeating: 1, count: 1600)
      #expect(station.arrive(builder.udp(sourcePort: 1, destinationPort: 2, payload: payload)))
      #expect(station.arrive(builder.ipv6(nextHeader: 17, payload: payload)))
      builder.dontFragment = true
      #expect(station.arrive(builder.udp(sourcePort: 1, destinationPort: 2, payload: payload)))
      #expect(station.arrive(opaqueFrame(from: 1, to: destination, length: 1600)))
      #expect(station.arrive(builder.tcp(sourcePort: 1, destinationPort: 2)))
    }
    cac_begin()
    _ = bridge.worker.breathe()
    let count = cac_end()
    #expect(bridge.discard() > 0)
    _ = bridge.worker.breathe()
    return count
  }
}

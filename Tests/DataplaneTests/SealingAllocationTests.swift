// SPDX-License-Identifier: Apache-2.0

import CAllocationCounter
import Dataplane
import DataplaneTestSupport
import Forwarding
import Sealing
import Testing

/// Sealing in batches allocates nothing.
@Suite(.enabled(if: cac_is_available(), "a sanitizer replaces the allocator"))
struct SealingAllocationTests {
  @Test func breathThatSealsForNeighboursOfAllKindsAllocatesNothing() throws {
    let bench = try SecureBench(
      ways: [1: .sealedVXLAN, 2: .sealedSleeve(.aes256gcm), 4: .sealedSleeve(.secretbox)]
    ) {
      $0.frameLengthMax = 9050
      $0.frameCount = 4096
      $0.ringCapacity = 1024
    }
    for _ in 0..<3 { _ = try countedBreath(bench) }
    for _ in 0..<50 { #expect(try countedBreath(bench) == 0) }
    let account = try bench.bridge.account
    #expect(account.copied > 0 && account.merged > 0 && account.generated > 0)
    bench.bridge.keys.remove(try #require(bench.mesh.sealing[1]))
    #expect(try countedBreath(bench) == 0)
    #expect(try bench.bridge.account.dropped(.keyMissing) > 0)
    try bench.check()
  }

  /// Allocations of one breath that seals frames in one chunk and in several, floods and orders.
  private func countedBreath(_ bench: SecureBench) throws -> UInt64 {
    let station = try #require(bench.bridge.ports[port(0)])
    for length in [14, 400, 1400, 3835, 9000] {
      for destination in [11, 12, 14, 99] {
        #expect(station.arrive(opaqueFrame(from: 1, to: destination, length: length)))
      }
    }
    for length in [600, 9000] {
      bench.bridge.order(
        ControlOrder(name: MemorySwitch.peerNames[1], overlay: .vxlan, frameLength: length))
    }
    cac_begin()
    let drawn = bench.bridge.worker.breathe()
    let count = cac_end()
    #expect(drawn == 22)
    _ = bench.bridge.drain()
    _ = bench.bridge.worker.breathe()
    _ = bench.bridge.takeHints()
    return count
  }
}

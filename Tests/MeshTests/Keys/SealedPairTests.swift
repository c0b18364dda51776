// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import Sealing
import TestSupport
import Testing

/// Two ends whose datagrams are sealed: what no key opens is lost.
@Suite struct SealedPairTests {
  private func pair(
    _ suite: CipherSuite = .aes256gcm, overlays: [String] = ["fastdp", "sleeve"], seed: UInt64 = 1,
    _ configure: (inout SealingTerms) -> Void = { _ in }
  ) throws -> OverlayPair {
    let terms = try [0, 1].map { end in
      var terms = try sealingTerms(UInt8(end + 1), isOutbound: end == 0, suites: [suite])
      configure(&terms)
      return terms
    }
    return try OverlayPair(
      key: testKey, seed: seed, isLively: true, overlays: overlays, terms: terms)
  }

  @Test(arguments: CipherSuite.allCases)
  func bothOverlaysAreEstablished(suite: CipherSuite) throws {
    var pair = try pair(suite)
    pair.confirmBoth()
    pair.run(until: .seconds(5))
    // VXLAN has a suite of its own.
    #expect(pair.chosen == [.fastdp, .fastdp])
    for end in pair.ends {
      #expect(end.fastdpLink?.security?.suite == .aes256gcm)
      #expect(end.sleeveLink?.isWorking == true && end.sleeveLink?.security?.suite == suite)
      #expect(end.counts == OverlaySwitch.Counts())
    }
    #expect(pair.unopenedCount == 0 && pair.unsealedCount == 0)
  }

  @Test func peerWithoutAESIsReachedBySleeve() throws {
    let terms = try [0, 1].map { end in
      var terms = try sealingTerms(
        UInt8(end + 1), isOutbound: end == 0, suites: [.chacha20poly1305])
      terms.canUseESP = end == 0
      return terms
    }
    var pair = try OverlayPair(key: testKey, isLively: true, terms: terms)
    pair.confirmBoth()
    pair.run(until: .seconds(120))
    #expect(pair.chosen == [.sleeve, .sleeve] && pair.failures == [nil, nil])
    #expect(pair.unopenedCount == 0 && pair.unsealedCount == 0)
  }

  @Test(arguments: fixedSeeds)
  func keysAreRenewedWithoutLoss(seed: UInt64) throws {
    var pair = try pair(seed: seed) { $0.rekeyInterval = .seconds(1) }
    pair.lateMillisecondsMax = 900
    pair.confirmBoth()
    pair.run(until: .seconds(600))
    #expect(pair.unopenedCount == 0 && pair.unsealedCount == 0)
    #expect(pair.ends.allSatisfy { $0.counts == OverlaySwitch.Counts() })
    #expect(pair.choices.allSatisfy { $0.last?.overlay == .fastdp && $0.count <= 2 })
    for end in [0, 1] {
      let offers = pair.controls[end].filter { $0[1] == 0x81 || $0[0] == 0 && $0[1] == 1 }
      let confirmations = pair.controls[end].filter { $0[1] == 0x82 }
      // One of each overlay each second, or a little later.
      #expect(1100...1202 ~= offers.count && 1100...1202 ~= confirmations.count)
    }
  }

  /// Somebody in between made the dialled end believe in a shorter list.
  @Test func endsThatSawOtherListsNeverHearEachOther() throws {
    var terms = try [0, 1].map { try sealingTerms(UInt8($0 + 1), isOutbound: $0 == 0) }
    try terms[0].agree(
      ours: [.aes256gcm, .chacha20poly1305], theirs: ["chacha20poly1305"], isOutbound: true)
    try terms[1].agree(
      ours: [.chacha20poly1305, .aes256gcm], theirs: ["chacha20poly1305"], isOutbound: false)
    #expect(terms.map(\.suite) == [.chacha20poly1305, .chacha20poly1305])
    var pair = try OverlayPair(key: testKey, overlays: ["sleeve"], terms: terms)
    pair.confirmBoth()
    pair.run(until: .seconds(70))
    #expect(pair.established == [nil, nil] && pair.unopenedCount > 0)
    #expect(pair.failures[0]?.hasPrefix("sleeve has not got through in both directions") == true)
  }

  @Test func keyThatIsUsedUpIsReplacedAtOnce() throws {
    var pair = try pair()
    pair.confirmBoth()
    pair.run(until: .seconds(5))
    let before = pair.ends[0].sleeveLink?.security
    pair.at(0) { $0.keyUsed(.sleeve, now: $1) }
    #expect(pair.ends[0].sleeveLink?.security?.openings.count == 2)
    #expect(pair.ends[0].fastdpLink?.security?.openings.count == 1)
    pair.run(until: .seconds(20))
    #expect(pair.ends[0].sleeveLink?.security?.openings.count == 1)
    #expect(pair.ends[0].sleeveLink?.security?.openings != before?.openings)
    #expect(pair.ends[0].sleeveLink?.security?.sealing == before?.sealing)
    #expect(pair.unopenedCount == 0)
  }
}

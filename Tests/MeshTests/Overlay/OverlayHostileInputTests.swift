// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import TestSupport
import Testing

/// Whatever neighbours and strangers say, what comes of it is little.
@Suite struct OverlayHostileInputTests {
  /// A special frame near to what a peer sends, or far from it.
  private func hostile(_ random: inout SeededGenerator) -> OverlaySpecial {
    let contents: [OverlaySpecial.Content] = [
      .heartbeat(connectionUID: testUID, announcedLength: random.number(below: 3) * 700),
      .heartbeat(connectionUID: random.next(), announcedLength: 0), .fragmentationTest,
      .damagedFragmentationTest, .lengthTest,
    ]
    let lengths = [0, 13, 14, 22, 700, 1400, 60_001, 65_535, .max, .min]
    let source = SocketAddress(
      IPv4Address(bits: 0x0A63_0001 + UInt32(random.number(below: 3))),
      port: UInt16(random.number(below: 65_536)))
    return OverlaySpecial(
      overlay: random.number(below: 2) == 0 ? .fastdp : .sleeve,
      peer: random.number(below: 9) == 0 ? dialled : dialler, source: source,
      frameLength: lengths[random.number(below: lengths.count)],
      content: contents[random.number(below: contents.count)])
  }

  @Test(arguments: [false, true], [false, true])
  func randomInputsLeadToBoundedEffects(isSealed: Bool, isLively: Bool) throws {
    var random = SeededGenerator(seed: 1)
    var options = overlayOptions(isOutbound: false, key: isSealed ? testKey : nil)
    options.isLively = isLively
    options.terms = isSealed ? try sealingTerms() : nil
    var overlay = try OverlaySwitch(options, remoteOverlays: ["fastdp", "sleeve"])
    _ = overlay.confirm(now: moment(.zero))
    var controlCount = 0
    for step in 0..<100_000 {
      let now = moment(.microseconds(100 * step))
      let effects =
        switch random.number(below: 6) {
        case 0:
          overlay.receiveControl(
            random.bytes(random.number(below: 5)).map { $0 & 3 }
              + random.bytes(random.number(below: 9) == 0 ? 64 : 0), now: now)
        case 1: overlay.tooLong(pathMTU: random.number(below: 3000), now: now)
        case 2: overlay.advance(now: now)
        default: overlay.receive(hostile(&random), now: now)
        }
      if effects.count > 8 { Issue.record("\(effects), \(random)") }
      for case .control(let payload) in effects {
        controlCount += 1
        guard payload.count < 2 || payload[0] > 1 else { continue }
        Issue.record("a Weave router would fail of \(payload), \(random)")
      }
      for case .probe(let probe) in effects where !(14...65_487 ~= probe.frameLength) {
        Issue.record("a probe of \(probe.frameLength) bytes, \(random)")
      }
    }
    // Ten seconds of it.
    #expect(controlCount < 600, "\(random)")
    #expect(overlay.counts.badControls > 0 && overlay.counts.foreignSpecials > 0)
    #expect(overlay.counts.unansweredTests > 0 && overlay.counts.unfollowedAddresses > 0)
    let link = try #require(overlay.sleeveLink)
    #expect(link.frameLengthMax >= 504 && link.frameLengthMax <= 1452)
  }

  @Test(arguments: [1])
  func randomControlMessagesLeadToNothingBad(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var overlay = try overlaySwitch(isOutbound: true)
    _ = overlay.confirm(now: moment(.zero))
    for overlayKind in OverlayKind.allCases {
      _ = overlay.receive(heartbeat(overlayKind, fromDialler: false), now: moment(.zero))
    }
    var choices = 0
    for _ in 0..<100_000 {
      let payload = random.bytes(random.number(below: 5)).map { $0 & 3 }
      for case .chosen in overlay.receiveControl(payload, now: moment(.zero)) { choices += 1 }
    }
    #expect(1...2 ~= choices, "\(random)")
    #expect(overlay.counts.badControls > 0, "\(random)")
  }

  @Test func lyingRoutersCannotShrinkThePath() throws {
    var pair = try OverlayPair(overlays: ["sleeve"])
    pair.confirmBoth()
    pair.run(until: .seconds(1))
    for pathMTU in [Int.min, -1, 0, 68, 575] {
      pair.at(0) { $0.tooLong(pathMTU: pathMTU, now: $1) }
      #expect(pair.ends[0].attributes["mtu"] == "1438")
    }
    for pathMTU in [1500, 1501, 9000, .max] {
      pair.at(0) { $0.tooLong(pathMTU: pathMTU, now: $1) }
      #expect(pair.ends[0].attributes["mtu"] == "1438")
    }
    // What may be true is tested first.
    pair.at(0) { $0.tooLong(pathMTU: 576, now: $1) }
    #expect(pair.ends[0].attributes["mtu"] == "1438")
    pair.run(until: .seconds(2))
    #expect(pair.ends[0].attributes["mtu"] == "1438")
    let count = pair.probes[0].count
    for _ in 0..<1000 { pair.at(0) { $0.tooLong(pathMTU: 600, now: $1) } }
    #expect(pair.probes[0].count - count <= 11)
  }
}

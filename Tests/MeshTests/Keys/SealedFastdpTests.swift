// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import Sealing
import TestSupport
import Testing

/// VXLAN in ESP, with a peer that behaves as Weave or as Weft.
@Suite struct SealedFastdpTests {
  private func overlay(
    isWeft: Bool, overlays: [String] = ["fastdp", "sleeve"],
    _ configure: (inout OverlaySwitch.Options) -> Void = { _ in }
  ) throws -> OverlaySwitch {
    var options = overlayOptions(isOutbound: true, key: testKey)
    options.terms = try sealingTerms(suites: isWeft ? [.aes256gcm] : nil)
    configure(&options)
    return try OverlaySwitch(options, remoteOverlays: overlays)
  }

  private func offer(_ byte: UInt8) -> [UInt8] {
    [0, 1]
      + KeyOffer(
        nonce: [UInt8](repeating: byte, count: 32), identifier: 0xABCD_0000 + UInt32(byte),
        generation: 0
      ).bytes
  }

  private func beats(_ effects: [OverlayEffect]) -> [Int] {
    effects.compactMap { effect in
      guard case .probe(let probe) = effect, probe.overlay == .fastdp else { return nil }
      return probe.frameLength
    }
  }

  @Test func nothingIsSentBeforeTheOtherEndChoseAKey() throws {
    for isWeft in [false, true] {
      var overlay = try overlay(isWeft: isWeft, overlays: ["fastdp"])
      let first = overlay.confirm(now: moment(.zero))
      guard case .keyControl(let payload) = first.first, first.count == 1 else {
        Issue.record("\(first)")
        return
      }
      #expect(payload.prefix(2) == [0, 1] && payload.count == 66)
      #expect(overlay.fastdpLink?.security?.sealing == nil)
      #expect(overlay.fastdpLink?.security?.openings.count == 1)
      #expect(beats(overlay.advance(now: moment(.seconds(5)))).isEmpty)
      let answer = overlay.receiveControl(offer(1), now: moment(.seconds(6)))
      #expect(beats(answer) == [1390])
      let confirmation = OverlayEffect.keyControl([0, 0x82, 0xAB, 0xCD, 0, 1])
      #expect(answer.contains(confirmation) == isWeft)
      #expect(overlay.fastdpLink?.security?.sealing?.identifier == 0xABCD_0001)
      #expect(overlay.nextDeadline == moment(.milliseconds(6500)))
      let heard = overlay.receive(heartbeat(.fastdp, fromDialler: false), now: moment(.seconds(7)))
      #expect(heard == [.control([0, 0])])
      _ = overlay.receiveControl([0, 0], now: moment(.seconds(7)))
      #expect(overlay.chosen == .fastdp && overlay.suite == .aes256gcm)
      #expect(overlay.attributes == ["name": "fastdp", "mtu": "1376", "encrypted": "true"])
      #expect(overlay.counts == OverlaySwitch.Counts())
    }
  }

  @Test func offerMayComeBeforeTheConnectionIsConfirmed() throws {
    var overlay = try overlay(isWeft: false)
    #expect(overlay.receiveControl(offer(1), now: moment(.zero)).isEmpty)
    #expect(beats(overlay.confirm(now: moment(.seconds(1)))) == [1390])
  }

  @Test func laterOfferReplacesTheKeyAtOnce() throws {
    var overlay = try overlay(isWeft: false)
    _ = overlay.confirm(now: moment(.zero))
    for byte: UInt8 in 1...3 {
      let effects = overlay.receiveControl(offer(byte), now: moment(.seconds(Int(byte))))
      #expect(beats(effects).count == (byte == 1 ? 1 : 0))
      #expect(overlay.fastdpLink?.security?.sealing?.identifier == 0xABCD_0000 + UInt32(byte))
    }
  }

  @Test(arguments: [0, 1, 35, 63, 65, 128])
  func offerOfAnotherLengthEndsTheOverlayAsInWeave(length: Int) throws {
    var overlay = try overlay(isWeft: false)
    _ = overlay.confirm(now: moment(.zero))
    let bad = [0, 1] + [UInt8](repeating: 1, count: length)
    #expect(overlay.receiveControl(bad, now: moment(.zero)).isEmpty)
    #expect(overlay.fastdpLink == nil && overlay.sleeveLink != nil && overlay.best == .sleeve)
    #expect(beats(overlay.receiveControl(offer(1), now: moment(.zero))).isEmpty)
    var weft = try self.overlay(isWeft: true)
    _ = weft.confirm(now: moment(.zero))
    #expect(weft.receiveControl(bad, now: moment(.zero)).isEmpty)
    #expect(weft.fastdpLink != nil && weft.counts.badControls == 1)
  }

  @Test func overlayThatEndsLeavesTheFramesToSleeve() throws {
    var overlay = try overlay(isWeft: false)
    _ = overlay.confirm(now: moment(.zero))
    _ = overlay.receiveControl(offer(1), now: moment(.zero))
    for kind in OverlayKind.allCases {
      _ = overlay.receive(heartbeat(kind, fromDialler: false), now: moment(.zero))
      _ = overlay.receiveControl(
        [kind == .fastdp ? 0 : 1, kind == .fastdp ? 0 : 1], now: moment(.zero))
    }
    #expect(overlay.chosen == .fastdp)
    let reason = "the peer offered a key for fastdp of 3 bytes instead of 64"
    let effects = overlay.receiveControl([0, 1, 1, 2, 3], now: moment(.seconds(1)))
    #expect(effects == [.chosen(.sleeve, from: .fastdp, reason: reason)])
  }

  @Test func longestFrameIsWhatFitsIntoAPacket() throws {
    for mtu in 576...1600 {
      let overlay = try overlay(isWeft: true) { $0.underlayMTU = mtu }
      let longest = try #require(overlay.fastdpLink?.frameLengthMax)
      func length(_ frameLength: Int) -> Int {
        OverlayProbe(overlay: .fastdp, peer: dialled, frameLength: frameLength)
          .packetLength(isSealed: true)
      }
      #expect(length(longest) <= mtu && length(longest + 1) > mtu)
      if mtu == 1500 { #expect(longest == 1430) }
    }
  }

  @Test(arguments: [(1376, 1390), (1410, 1424), (1416, 1430), (1500, 1430), (65_000, 1430)])
  func heartbeatsAreAsLongAsFramesButFit(overlayMTU: Int, expected: Int) throws {
    var overlay = try overlay(isWeft: true) { $0.overlayMTU = overlayMTU }
    _ = overlay.confirm(now: moment(.zero))
    #expect(beats(overlay.receiveControl(offer(1), now: moment(.zero))) == [expected])
    _ = overlay.underlayChanged(40, now: moment(.zero))
    #expect(beats(overlay.advance(now: moment(.seconds(1)))) == [24])
  }

  @Test func clearVXLANTakesNoKeys() throws {
    var overlay = try OverlaySwitch(
      overlayOptions(isOutbound: true), remoteOverlays: ["fastdp", "sleeve"])
    _ = overlay.confirm(now: moment(.zero))
    for payload in [offer(1), [0, 0x82, 0, 0, 0, 1], [1, 0x81] + Array(offer(1).dropFirst(2))] {
      #expect(overlay.receiveControl(payload, now: moment(.zero)).isEmpty)
    }
    #expect(overlay.counts.badControls == 3 && overlay.suite == nil)
  }
}

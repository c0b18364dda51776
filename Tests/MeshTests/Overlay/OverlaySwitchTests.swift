// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

@Suite struct OverlaySwitchTests {
  @Test(
    arguments: [
      (["sleeve"], nil, 0), (["fastdp", "sleeve"], 0, 1), (["sleeve", "fastdp"], 0, 1),
      (["fastdp"], 0, nil), (["awsvpc", "sleeve", "sleeve"], nil, 0),
    ] as [([String], UInt8?, UInt8?)])
  func overlaysAreNumberedInOurOrder(remote: [String], fastdp: UInt8?, sleeve: UInt8?) throws {
    var overlay = try OverlaySwitch(overlayOptions(isOutbound: true), remoteOverlays: remote)
    _ = overlay.confirm(now: moment(.zero))
    #expect((overlay.fastdpLink == nil) == (fastdp == nil))
    #expect((overlay.sleeveLink == nil) == (sleeve == nil))
    #expect(overlay.best == (fastdp == nil ? .sleeve : .fastdp) && !overlay.isEstablished)
    for (kind, index, tag): (OverlayKind, UInt8?, UInt8) in [
      (.fastdp, fastdp, 0), (.sleeve, sleeve, 1),
    ] {
      guard let index else { continue }
      let effects = overlay.receive(heartbeat(kind, fromDialler: false), now: moment(.zero))
      #expect(effects == [.control([index, tag])])
    }
    let last = overlay.receiveControl([sleeve ?? 0, sleeve == nil ? 0 : 1], now: moment(.zero))
    guard case .chosen(let chosen, nil, _) = last.last else {
      Issue.record("nothing was chosen: \(last)")
      return
    }
    #expect(chosen == (sleeve == nil ? .fastdp : .sleeve) && overlay.isEstablished)
  }

  @Test func peersWithoutACommonOverlayAreToldSo() {
    for remote in [[], ["awsvpc"], ["Fastdp", "Sleeve", " sleeve"]] {
      #expect(throws: OverlayError.nothingInCommon(ours: ["fastdp", "sleeve"], theirs: remote)) {
        try OverlaySwitch(overlayOptions(isOutbound: true), remoteOverlays: remote)
      }
    }
    #expect(
      OverlayError.nothingInCommon(ours: ["sleeve"], theirs: ["awsvpc"]).description
        == "the peer has no overlay that we have: it offers \"awsvpc\", we have \"sleeve\"; let it "
        + "offer one of ours")
    let long = [String](repeating: String(repeating: "x", count: 1000), count: 1000)
    #expect(OverlayError.nothingInCommon(ours: ["sleeve"], theirs: long).description.count < 400)
  }

  @Test func oldPeersAreRefused() {
    #expect(throws: OverlayError.notAdvertised) {
      try OverlaySwitch(overlayOptions(isOutbound: true), remoteOverlays: nil)
    }
    #expect(OverlayError.notAdvertised.description.contains("upgrade it"))
  }

  @Test func onlyOverlayThatCannotBeUsedIsExplained() {
    let error = OverlayError.notUsable(
      "fastdp is sealed with AES, which this processor does not have")
    #expect(throws: error) {
      try OverlaySwitch(
        overlayOptions(isOutbound: true, key: testKey), remoteOverlays: ["fastdp"])
    }
    #expect(error.description.hasSuffix("let both peers offer sleeve as well"))
    #expect(throws: OverlayError.nothingInCommon(ours: ["sleeve"], theirs: ["fastdp"])) {
      try OverlaySwitch(
        overlayOptions(isOutbound: true), ownOverlays: [.sleeve], remoteOverlays: ["fastdp"])
    }
  }

  @Test(
    arguments: [
      [], [0], [1], [2, 1], [255, 1], [0, 2], [1, 0], [1, 4], [1, 3], [1, 3, 5], [0, 255, 1],
      [0, 0x80], [1, 0x80],
    ] as [[UInt8]])
  func controlMessagesWithoutSenseAreCounted(payload: [UInt8]) throws {
    var overlay = try overlaySwitch(isOutbound: true)
    _ = overlay.confirm(now: moment(.zero))
    #expect(overlay.receiveControl(payload, now: moment(.zero)).isEmpty)
    #expect(overlay.counts.badControls == 1 && !overlay.isEstablished)
  }

  @Test func acknowledgementOfNoHeartbeatIsCounted() throws {
    for isOutbound in [false, true] {
      var overlay = try overlaySwitch(isOutbound: isOutbound)
      for payload: [UInt8] in [[0, 0], [1, 1]] {
        #expect(overlay.receiveControl(payload, now: moment(.zero)).isEmpty)
      }
      #expect(overlay.counts.badControls == 2 && !overlay.isEstablished)
    }
    // The end that was dialled does not know where to send sleeve's.
    var overlay = try overlaySwitch(isOutbound: false)
    _ = overlay.confirm(now: moment(.zero))
    #expect(overlay.receiveControl([1, 1], now: moment(.zero)).isEmpty)
    #expect(overlay.counts.badControls == 1)
  }

  @Test func secondAcknowledgementChangesNothing() throws {
    var overlay = try overlaySwitch(isOutbound: true)
    _ = overlay.confirm(now: moment(.zero))
    _ = overlay.receive(heartbeat(fromDialler: false), now: moment(.zero))
    let first = overlay.receiveControl([1, 1, 9], now: moment(.zero))
    #expect(
      first.last
        == .chosen(
          .sleeve, from: nil, reason: "fastdp has not got through in both directions yet"))
    #expect(overlay.receiveControl([1, 1], now: moment(.seconds(3))).isEmpty)
    #expect(overlay.counts == OverlaySwitch.Counts())
  }

  @Test func attributesAreWhatAWeaveRouterShows() throws {
    let fast = try overlaySwitch(isOutbound: true)
    #expect(fast.attributes["name"] == "fastdp")
    let plain = try overlaySwitch(isOutbound: true, remoteOverlays: ["sleeve"])
    #expect(plain.attributes == ["name": "sleeve", "mtu": "1438"])
    let sealed = try overlaySwitch(isOutbound: true, key: testKey)
    #expect(sealed.attributes == ["name": "sleeve", "mtu": "1414", "encrypted": "true"])
    var options = overlayOptions(isOutbound: true)
    options.underlayMTU = 10
    let narrow = try OverlaySwitch(options, remoteOverlays: ["sleeve"])
    #expect(narrow.attributes["mtu"] == "0")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

@Suite struct OverlaySwitchTests {
  @Test(arguments: [
    ["sleeve"], ["fastdp", "sleeve"], ["sleeve", "fastdp"], ["sleeve", "sleeve"],
  ])
  func sleeveIsChosenAndCalledZero(remote: [String]) throws {
    var overlay = try OverlaySwitch(overlayOptions(isOutbound: true), remoteOverlays: remote)
    _ = overlay.confirm(now: moment(.zero))
    #expect(overlay.name == "sleeve" && !overlay.isEstablished)
    #expect(overlay.receiveControl([0, 1], now: moment(.zero)).isEmpty)
    let bytes = heartbeat(fromDialler: false)
    let effects = overlay.receive(bytes, from: dialledAddress, now: moment(.zero))
    #expect(effects == [.control([0, 1]), .established])
    #expect(overlay.isEstablished)
  }

  @Test func peersWithoutACommonOverlayAreToldSo() {
    for remote in [[], ["awsvpc"], ["fastdp", "Sleeve", " sleeve"]] {
      #expect(throws: OverlayError.nothingInCommon(ours: ["sleeve"], theirs: remote)) {
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

  @Test(arguments: [[], [0], [1], [1, 1], [255, 1], [0, 0], [0, 4], [0, 255, 1]] as [[UInt8]])
  func controlMessagesWithoutSenseAreCounted(payload: [UInt8]) throws {
    var overlay = try overlaySwitch(isOutbound: true)
    _ = overlay.confirm(now: moment(.zero))
    #expect(overlay.receiveControl(payload, now: moment(.zero)).isEmpty)
    #expect(overlay.counts.badControls == 1 && !overlay.isEstablished)
  }

  @Test func acknowledgementOfNoHeartbeatIsCounted() throws {
    for isOutbound in [false, true] {
      var overlay = try overlaySwitch(isOutbound: isOutbound)
      #expect(overlay.receiveControl([0, 1], now: moment(.zero)).isEmpty)
      #expect(overlay.counts.badControls == 1 && !overlay.isEstablished)
    }
    var overlay = try overlaySwitch(isOutbound: false)
    _ = overlay.confirm(now: moment(.zero))
    #expect(overlay.receiveControl([0, 1], now: moment(.zero)).isEmpty)
    #expect(overlay.counts.badControls == 1)
  }

  @Test func secondAcknowledgementChangesNothing() throws {
    var overlay = try overlaySwitch(isOutbound: true)
    _ = overlay.confirm(now: moment(.zero))
    _ = overlay.receive(heartbeat(fromDialler: false), from: dialledAddress, now: moment(.zero))
    #expect(overlay.receiveControl([0, 1, 9], now: moment(.zero)) == [.established])
    let deadline = overlay.nextDeadline
    #expect(overlay.receiveControl([0, 1], now: moment(.seconds(3))).isEmpty)
    #expect(overlay.nextDeadline == deadline)
    // Answers to tests that we do not make.
    #expect(overlay.receiveControl([0, 2], now: moment(.seconds(3))).isEmpty)
    #expect(overlay.receiveControl([0, 3, 5, 0x9E], now: moment(.seconds(3))).isEmpty)
    #expect(overlay.receiveControl([0, 3], now: moment(.seconds(3))).isEmpty)
    #expect(overlay.counts == OverlaySwitch.Counts())
  }

  @Test func attributesAreWhatAWeaveRouterShows() throws {
    let plain = try overlaySwitch(isOutbound: true)
    #expect(plain.attributes == ["name": "sleeve", "mtu": "1438"])
    let sealed = try overlaySwitch(isOutbound: true, key: testKey)
    #expect(sealed.attributes == ["name": "sleeve", "mtu": "1414", "encrypted": "true"])
    var options = overlayOptions(isOutbound: true)
    options.underlayMTU = 10
    let narrow = try OverlaySwitch(options, remoteOverlays: ["sleeve"])
    #expect(narrow.attributes["mtu"] == "0")
  }
}

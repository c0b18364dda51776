// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// VXLAN's heartbeats, ports and lengths.
@Suite struct FastdpLinkTests {
  private func confirmed(
    isOutbound: Bool = true, _ configure: (inout OverlaySwitch.Options) -> Void = { _ in }
  ) throws -> OverlaySwitch {
    var options = overlayOptions(isOutbound: isOutbound)
    configure(&options)
    var overlay = try OverlaySwitch(options, remoteOverlays: ["fastdp", "sleeve"])
    _ = overlay.confirm(now: moment(.zero))
    return overlay
  }

  @Test func bothEndsUseThePortAfterTheDialledOne() throws {
    for (isOutbound, expected): (Bool, UInt16) in [(true, 7001), (false, 9001)] {
      let overlay = try confirmed(isOutbound: isOutbound) {
        $0.port = 9000
        if isOutbound { $0.remoteAddress.port = 7000 }
      }
      let link = try #require(overlay.fastdpLink)
      let remote = (isOutbound ? dialledAddress : diallerAddress).address
      #expect(link.localPort == expected)
      #expect(link.remote == SocketAddress(remote, port: expected))
      #expect(overlay.sleeveLink?.localPort == 9000)
    }
    let last = try confirmed { $0.remoteAddress.port = 65_535 }
    #expect(last.fastdpLink == nil)
  }

  @Test func heartbeatsAreAsLongAsOurFrames() throws {
    var options = overlayOptions(isOutbound: true)
    options.overlayMTU = 1410
    var overlay = try OverlaySwitch(options, remoteOverlays: ["fastdp"])
    let expected = OverlayProbe(
      overlay: .fastdp, peer: dialled, frameLength: 1424, connectionUID: testUID)
    #expect(overlay.confirm(now: moment(.zero)) == [.probe(expected)])
    overlay.overlayChanged(1300)
    #expect(overlay.nextDeadline == moment(.milliseconds(500)))
    guard case .probe(let second) = overlay.advance(now: moment(.milliseconds(500))).first else {
      Issue.record("no second heartbeat")
      return
    }
    #expect(second.frameLength == 1314)
  }

  @Test func framesAreAsLongAsBothEndsSay() throws {
    var overlay = try confirmed()
    #expect(overlay.fastdpLink?.frameLengthMax == 1464)
    _ = overlay.receive(heartbeat(.fastdp, fromDialler: false), now: moment(.zero))
    #expect(overlay.fastdpLink?.frameLengthMax == 1390)
    // Our heartbeats go on being longer: the other end has to hear them.
    #expect(overlay.fastdpLink?.probeLengthMax == 1464)
    _ = overlay.underlayChanged(1400, now: moment(.zero))
    #expect(overlay.fastdpLink?.frameLengthMax == 1364)
  }

  @Test func heartbeatIsAcknowledgedOnceAndOursHasToBe() throws {
    var overlay = try confirmed()
    let good = heartbeat(.fastdp, fromDialler: false)
    #expect(overlay.receive(good, now: moment(.zero)) == [.control([0, 0])])
    #expect(overlay.receive(good, now: moment(.seconds(1))).isEmpty)
    #expect(!overlay.isEstablished)
    let effects = overlay.receiveControl([0, 0], now: moment(.seconds(1)))
    #expect(effects == [.chosen(.fastdp, from: nil, reason: "fastdp gets through")])
    #expect(overlay.receiveControl([0, 0], now: moment(.seconds(2))).isEmpty)
    #expect(overlay.attributes == ["name": "fastdp", "mtu": "1376"])
  }

  @Test func whatIsNoHeartbeatOfTheConnectionIsCounted() throws {
    var overlay = try confirmed()
    let wrong: [OverlaySpecial] = [
      special(.fastdp, fromDialler: false, .lengthTest, length: 1390),
      special(.fastdp, fromDialler: false, .fragmentationTest, length: 60_001),
      special(
        .fastdp, fromDialler: false, .heartbeat(connectionUID: testUID, announcedLength: 1391),
        length: 1390),
    ]
    for special in wrong { #expect(overlay.receive(special, now: moment(.zero)).isEmpty) }
    let foreign = heartbeat(.fastdp, fromDialler: false, testUID ^ 1)
    #expect(overlay.receive(foreign, now: moment(.zero)).isEmpty)
    #expect(overlay.counts.malformed == 3 && overlay.counts.foreignSpecials == 1)
  }

  @Test func changedAddressIsFollowedOnceASecond() throws {
    var overlay = try confirmed()
    for number in 0..<10 {
      let source = SocketAddress(IPv4Address(bits: UInt32(0x0A00_0000 + number)), port: 1000)
      let beat = heartbeat(.fastdp, fromDialler: false, source: source)
      _ = overlay.receive(beat, now: moment(.milliseconds(10 * number)))
    }
    let first = SocketAddress(IPv4Address(bits: 0x0A00_0000), port: 6784)
    #expect(overlay.fastdpLink?.remote == first)
    #expect(overlay.counts.unfollowedAddresses == 9)
    let beat = heartbeat(.fastdp, fromDialler: false)
    _ = overlay.receive(beat, now: moment(.seconds(2)))
    #expect(overlay.fastdpLink?.remote?.address == dialledAddress.address)
  }

  @Test func peerWithoutShortNumberIsReachedBySleeve() throws {
    let overlay = try confirmed { $0.hasShortIDs = false }
    #expect(overlay.fastdpLink == nil && overlay.best == .sleeve)
  }

  @Test func keysForSecurityAreIgnoredWithoutAES() throws {
    let crypto = [0, 1] + [UInt8](repeating: 7, count: 64)
    var sealed = try overlaySwitch(isOutbound: true, key: testKey)
    _ = sealed.confirm(now: moment(.zero))
    #expect(sealed.receiveControl(crypto, now: moment(.zero)).isEmpty)
    #expect(sealed.receiveControl([0, 0], now: moment(.zero)).isEmpty)
    #expect(sealed.counts == OverlaySwitch.Counts())
    let beat = heartbeat(.fastdp, fromDialler: false)
    #expect(sealed.receive(beat, now: moment(.zero)).isEmpty)
    var plain = try confirmed()
    #expect(plain.receiveControl(crypto, now: moment(.zero)).isEmpty)
    #expect(plain.counts.badControls == 1)
  }
}

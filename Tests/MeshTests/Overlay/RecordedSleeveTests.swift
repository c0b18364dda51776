// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Inet
import Sealing
import TestSupport
import Testing
import Wire

@testable import Mesh

/// The session keys that `Fixtures/captures/README.md` publishes.
private let keys = [
  "weave-v2-encrypted": "4dfdd3ca6784eb0e4cfb2cea4c5fdab03cd7ea0c576d4e2d018ca44a20394a57",
  "weave-v1-encrypted": "754bb502fb3833f116239a4342a3a1cfcf06afbdfa01825189ffeeae616f9390",
]

private func sessionKey(of name: String) throws -> SessionKey? {
  try keys[name].map { try #require(SessionKey(bytes: hexadecimal($0))) }
}

/// What sleeve sent, in the order of the recording.
private func datagrams(of name: String) throws -> [CapturedDatagram] {
  try Capture(named: name).datagrams.filter { $0.destination.port == 6783 }
}

/// What comes instead of containers' frames in a datagram of one end.
private func specials(
  of datagram: CapturedDatagram, _ key: SessionKey?, isFromDialler: Bool
) throws -> [OverlaySpecial] {
  var records = Array(datagram.payload.dropFirst(6))
  if let key {
    let nonce = [isFromDialler ? 0x80 : 0] + [UInt8](repeating: 0, count: 15) + records.prefix(8)
    records = try #require(SecretBox.open(Array(records.dropFirst(8)), nonce: nonce, key: key))
  }
  var cursor = SleeveRecords(records.span)
  var found: [OverlaySpecial] = []
  while let record = cursor.next() {
    let frame = records.span.extracting(record.frame)
    guard let special = SleeveSpecialFrame(frame) else { continue }
    let content: OverlaySpecial.Content =
      switch special {
      case .heartbeat(let number): .heartbeat(connectionUID: number, announcedLength: 0)
      case .fragmentationTest: .fragmentationTest
      case .damagedFragmentationTest: .damagedFragmentationTest
      case .mtuTest: .lengthTest
      }
    found.append(
      OverlaySpecial(
        overlay: .sleeve, peer: isFromDialler ? dialler : dialled, source: datagram.source,
        frameLength: frame.count, content: content))
  }
  let isMalformed = cursor.isMalformed
  #expect(!isMalformed)
  return found
}

/// What one end said by TCP: the features, then the payloads of its overlay control messages.
private func session(
  of name: String, isOutbound: Bool
) throws -> (features: Features, controls: [[UInt8]]) {
  let session = try #require(try Capture(named: name).sessions.first)
  let stream = isOutbound ? session.clientBytes : session.serverBytes
  var frames = try #require(Protocol2Stream(stream)).frames
  if let key = try sessionKey(of: name) {
    frames = try frames.enumerated().map { counter, frame in
      let nonce: [UInt8] = [isOutbound ? 0xC0 : 0x40] + [UInt8](repeating: 0, count: 15)
      return try #require(
        SecretBox.open(frame, nonce: nonce + octets(UInt64(counter), 8), key: key))
    }
  }
  let features = try Features(FeatureMap(gob: #require(frames.first)))
  let controls = frames.dropFirst().filter { $0.first == 7 }.map { Array($0.dropFirst()) }
  return (features, controls)
}

@Suite struct RecordedSleeveTests {
  /// Each end's place is taken by ours, which hears what that end heard.
  @Test(
    arguments: ["weave-v2-plain", "weave-v2-encrypted"], [false, true])
  func answersAreThoseOfTheRecordedPeer(name: String, isOutbound: Bool) throws {
    let (own, ownControls) = try session(of: name, isOutbound: isOutbound)
    let (remote, remoteControls) = try session(of: name, isOutbound: !isOutbound)
    let key = try sessionKey(of: name)
    var options = overlayOptions(isOutbound: isOutbound, key: key)
    #expect(own.name == options.own && remote.name == options.remote)
    options.connectionUID = own.connectionID ^ remote.connectionID
    var overlay = try OverlaySwitch(options, remoteOverlays: remote.overlays)
    var effects = overlay.confirm(now: moment(.zero))
    for datagram in try datagrams(of: name) where datagram.payload.starts(with: remote.name.octets)
    {
      let now = moment(.microseconds(datagram.microseconds))
      for special in try specials(of: datagram, key, isFromDialler: !isOutbound) {
        effects += overlay.receive(special, now: now)
      }
    }
    let controls = effects.compactMap { effect -> [UInt8]? in
      if case .control(let payload) = effect { payload } else { nil }
    }
    #expect(controls == ownControls && controls.count == 3)
    #expect(overlay.sleeveLink?.remote == (isOutbound ? dialledAddress : diallerAddress))
    #expect(overlay.counts == OverlaySwitch.Counts())
    // What we test is what the recorded end tested, but for Weave's trigger of the search.
    let last = remoteControls.flatMap { overlay.receiveControl($0, now: moment(.seconds(25))) }
    let lengths = last.compactMap { effect -> Int? in
      if case .probe(let probe) = effect { probe.frameLength } else { nil }
    }
    #expect(lengths == [60_001, name.hasSuffix("plain") ? 1452 : 1428])
    #expect(overlay.isEstablished && overlay.sleeveLink?.mayFragment == true)
    #expect(overlay.attributes["mtu"] == (name.hasSuffix("plain") ? "1438" : "1414"))
  }
}

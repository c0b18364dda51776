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

/// The records of what both ends sent, one entry for each datagram.
private func records(of name: String) throws -> [(datagram: CapturedDatagram, bytes: [UInt8])] {
  let key = try sessionKey(of: name)
  var openers = key.map { key in
    [false, true].map { SleeveOpener(key: key, isOutbound: $0) }
  }
  return try datagrams(of: name).map { datagram in
    let isFromDialler = datagram.payload.prefix(6).elementsEqual(dialler.octets)
    guard let outcome = openers?[isFromDialler ? 1 : 0].open(datagram.payload) else {
      return (datagram, Array(datagram.payload.dropFirst(6)))
    }
    guard case .opened(let bytes) = outcome else { return (datagram, [1]) }
    return (datagram, bytes)
  }
}

/// How many records there are, and what lies behind the last.
private func count(_ bytes: [UInt8]) -> (records: Int, isMalformed: Bool) {
  var cursor = SleeveRecords(bytes.span)
  var records = 0
  while cursor.next() != nil { records += 1 }
  return (records, cursor.isMalformed)
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
  private static let unfragmentedCounts = [
    "weave-v2-plain": 75, "weave-v2-encrypted": 68, "weave-v1-plain": 75, "weave-v1-encrypted": 77,
  ]

  @Test(arguments: Capture.names)
  func everyDatagramIsOpenedAndWhole(name: String) throws {
    let all = try records(of: name)
    var recordsMax = 0
    for (datagram, bytes) in all {
      let (records, isMalformed) = count(bytes)
      #expect(records > 0 && !isMalformed, "\(name), \(datagram.microseconds) µs")
      recordsMax = max(recordsMax, records)
    }
    #expect(all.count { !$0.datagram.wasFragmented } == Self.unfragmentedCounts[name])
    #expect(all.contains { $0.datagram.wasFragmented })
    #expect(recordsMax > 10)
  }

  /// Each end's place is taken by ours, which hears what that end heard.
  @Test(
    arguments: ["weave-v2-plain", "weave-v2-encrypted"], [false, true])
  func answersAreThoseOfTheRecordedPeer(name: String, isOutbound: Bool) throws {
    let (own, ownControls) = try session(of: name, isOutbound: isOutbound)
    let (remote, remoteControls) = try session(of: name, isOutbound: !isOutbound)
    var options = overlayOptions(isOutbound: isOutbound, key: try sessionKey(of: name))
    #expect(own.name == options.own && remote.name == options.remote)
    options.connectionUID = own.connectionID ^ remote.connectionID
    var overlay = try OverlaySwitch(options, remoteOverlays: remote.overlays)
    var effects = overlay.confirm(now: moment(.zero))
    for datagram in try datagrams(of: name) where datagram.payload.starts(with: remote.name.octets)
    {
      let now = moment(.microseconds(datagram.microseconds))
      effects += overlay.receive(datagram.payload, from: datagram.source, now: now)
    }
    let controls = effects.compactMap { effect -> [UInt8]? in
      if case .control(let payload) = effect { payload } else { nil }
    }
    #expect(controls == ownControls && controls.count == 3)
    #expect(overlay.remoteAddress == (isOutbound ? dialledAddress : diallerAddress))
    #expect(overlay.counts.dataFrames > 30)
    var others = overlay.counts
    others.dataFrames = 0
    #expect(others == OverlaySwitch.Counts())
    let last = remoteControls.flatMap { overlay.receiveControl($0, now: moment(.seconds(25))) }
    #expect(last == [.established] && overlay.isEstablished)
  }

  /// What the recorded end sent first is what ours sends first.
  @Test(arguments: [false, true])
  func firstHeartbeatIsTheRecordedOne(isOutbound: Bool) throws {
    for name in ["weave-v2-plain", "weave-v2-encrypted"] {
      let (own, _) = try session(of: name, isOutbound: isOutbound)
      let (remote, _) = try session(of: name, isOutbound: !isOutbound)
      let all = try datagrams(of: name)
      var options = overlayOptions(isOutbound: isOutbound, key: try sessionKey(of: name))
      options.connectionUID = own.connectionID ^ remote.connectionID
      var overlay = try OverlaySwitch(options, remoteOverlays: remote.overlays)
      var effects = overlay.confirm(now: moment(.zero))
      let theirs = try #require(all.first { $0.payload.starts(with: remote.name.octets) })
      effects += overlay.receive(theirs.payload, from: theirs.source, now: moment(.zero))
      let ours = try #require(all.first { $0.payload.starts(with: own.name.octets) })
      #expect(ours.dontFragment)
      #expect(
        effects.first == .datagram(ours.payload, to: ours.destination, isFragmentable: false))
    }
  }
}

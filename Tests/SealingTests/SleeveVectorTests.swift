// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Inet
import TestSupport
import Testing

@testable import Sealing

/// Sealed by Weave Net's own code, with the key 00 01 … 1f.
struct SleeveVector: Sendable {
  var isFromDialler: Bool
  var isFragmentable: Bool
  var datagram: String
}

private let plain = bytes(
  "02000000000a 02000000000b 0016 0000000000000000000000000000 1122334455667788")

private let vectors = [
  SleeveVector(
    isFromDialler: true, isFragmentable: false,
    datagram: "02000000000a 8000000000000000 3cf25877519930702e82a4810943a2171df248f80a905e73"
      + "e11fe0172e887170cc5106609f1b0ab72099ced458857646c9b651ee"),
  SleeveVector(
    isFromDialler: true, isFragmentable: false,
    datagram: "02000000000a 8000000000000001 cafebbaea49883a089373621fab7b618e99f0eb6a8340e1f"
      + "dcda10362d15291e9bfb2e12a8a23ab35bef78baee6aaf03e8a0dc5e"),
  SleeveVector(
    isFromDialler: true, isFragmentable: true,
    datagram: "02000000000a 0000000000000000 4c3a459aeb6a8f6602598455b1eadcc295629476ad414c14"
      + "1dc4daf79e3434b29621fbccdf0a71dbf1ee89f400e46f640e9f0063"),
  SleeveVector(
    isFromDialler: false, isFragmentable: false,
    datagram: "02000000000a 8000000000000000 333a397d745777328db10c585173252be801c23ecdf5d245"
      + "50c794bdd7ab333d6f065e231c4216af4ad7d6644394e49e5bfcc67f"),
  SleeveVector(
    isFromDialler: false, isFragmentable: true,
    datagram: "02000000000a 0000000000000000 9b768b5eb92dfcf384b81028362b64cd480ef04198a0bd33"
      + "5c5472042550bed2e43474f047e6284c6b034b8d2debec768062a485"),
]

/// The session keys that `Fixtures/captures/README.md` publishes.
private let captureKeys = [
  "weave-v2-encrypted": "4dfdd3ca6784eb0e4cfb2cea4c5fdab03cd7ea0c576d4e2d018ca44a20394a57",
  "weave-v1-encrypted": "754bb502fb3833f116239a4342a3a1cfcf06afbdfa01825189ffeeae616f9390",
]

/// A connection's four keys, as both ends have them.
private struct Connection {
  let keys = FrameKeys()
  private let sealing: [Bool: UInt16]
  private let opening: [Bool: UInt16]

  init(key bytes: [UInt8] = Array(0..<32)) throws {
    let session = try sessionKey(bytes)
    var (sealing, opening): ([Bool: UInt16], [Bool: UInt16]) = ([:], [:])
    for isFromDialler in [false, true] {
      sealing[isFromDialler] = keys.add(
        FrameKey(secretbox: session, isSenderOutbound: isFromDialler, isSealing: true))
      opening[isFromDialler] = keys.add(
        FrameKey(secretbox: session, isSenderOutbound: isFromDialler, isSealing: false))
    }
    (self.sealing, self.opening) = (sealing, opening)
  }

  func seal(_ records: [UInt8], isFragmentable: Bool, isFromDialler: Bool) throws -> [UInt8] {
    let (outcome, datagram) = keys.seal(
      PacketKind.secretbox.packet(records), key: try #require(sealing[isFromDialler]),
      isFragmentable: isFragmentable)
    try #require(outcome == .done)
    return datagram
  }

  func open(_ datagram: [UInt8], isFromDialler: Bool) throws -> (SealingBatch.Outcome, [UInt8]) {
    try keys.open(datagram, key: #require(opening[isFromDialler]))
  }
}

@Suite struct SleeveVectorTests {
  @Test func datagramsAreSealedAsTheVectors() throws {
    let connection = try Connection()
    for vector in vectors {
      let datagram = try connection.seal(
        plain, isFragmentable: vector.isFragmentable, isFromDialler: vector.isFromDialler)
      #expect(datagram == bytes(vector.datagram), "\(vector)")
    }
  }

  @Test func vectorsAreOpened() throws {
    let connection = try Connection()
    for vector in vectors {
      let datagram = bytes(vector.datagram)
      let isFromDialler = vector.isFromDialler
      let (outcome, opened) = try connection.open(datagram, isFromDialler: isFromDialler)
      #expect(outcome == .done && Array(opened[30...]) == plain, "\(vector)")
      #expect(try connection.open(datagram, isFromDialler: isFromDialler).0 == .replayed)
      #expect(try connection.open(datagram, isFromDialler: !isFromDialler).0 == .notAuthentic)
    }
  }

  @Test(arguments: captureKeys.keys.sorted())
  func everyRecordedDatagramIsOpenedOnce(name: String) throws {
    let datagrams = try recorded(name)
    #expect(datagrams.count > 60 && datagrams.contains { $0.wasFragmented })
    let connection = try Connection(key: #require(captureKeys[name].map(bytes)))
    for datagram in datagrams.map(\.payload) {
      let isFromDialler = isFromDialler(datagram)
      let (outcome, opened) = try connection.open(datagram, isFromDialler: isFromDialler)
      #expect(outcome == .done && opened != datagram)
      #expect(try connection.open(datagram, isFromDialler: isFromDialler).0 == .replayed)
    }
  }

  /// Our counters give the recorded numbers, except for those that Weave used in vain, for what was
  /// too long to be sent.
  @Test(arguments: captureKeys.keys.sorted(), [false, true])
  func everyRecordedDatagramIsSealedAgainAsRecorded(name: String, isOutbound: Bool) throws {
    let sent = try recorded(name).map(\.payload).filter { isFromDialler($0) == isOutbound }
      .sorted { number(of: $0) < number(of: $1) }
    let connection = try Connection(key: #require(captureKeys[name].map(bytes)))
    var unusedCount = 0
    for datagram in sent {
      let isFragmentable = number(of: datagram) & unfragmentable == 0
      let records = try connection.open(datagram, isFromDialler: isOutbound).1[30...]
      var again: [UInt8] = []
      repeat {
        again = try connection.seal(
          Array(records), isFragmentable: isFragmentable, isFromDialler: isOutbound)
        unusedCount += 1
      } while number(of: again) < number(of: datagram)
      unusedCount -= 1
      #expect(again.dropFirst(6) == datagram.dropFirst(6))
    }
    #expect(!sent.isEmpty && unusedCount <= 2)
  }

  private func recorded(_ name: String) throws -> [CapturedDatagram] {
    try Capture(named: name).datagrams.filter { $0.destination.port == 6783 }
  }

  /// Whether router B sent it, which dials.
  private func isFromDialler(_ datagram: [UInt8]) -> Bool {
    datagram.starts(with: bytes("02000000000b"))
  }
}

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

@Suite struct SleeveVectorTests {
  @Test func datagramsAreSealedAsTheVectors() throws {
    let ends = try SleeveEnds()
    for vector in vectors {
      let datagram = ends.sessions.seal(
        plain, isFragmentable: vector.isFragmentable,
        session: vector.isFromDialler ? ends.dialler : ends.dialled)
      #expect(datagram == bytes(vector.datagram), "\(vector)")
    }
  }

  @Test func vectorsAreOpened() throws {
    let ends = try SleeveEnds()
    for vector in vectors {
      let session = vector.isFromDialler ? ends.dialled : ends.dialler
      let (opening, datagram) = ends.sessions.open(bytes(vector.datagram), session: session)
      #expect(opening == .opened && Array(datagram[offset...]) == plain, "\(vector)")
      #expect(ends.sessions.open(bytes(vector.datagram), session: session).0 == .replayed)
    }
  }

  /// Every length for which the stream is asked for in another way, against the library's own box.
  @Test func everyLengthIsTheBoxOfTheLibrary() throws {
    var generator = SeededGenerator(seed: 1)
    let lengths = Array(0...1700) + [2015, 2016, 2017, 4096, 9000, 65_476, 65_477]
    let ends = try SleeveEnds()
    for (index, length) in lengths.enumerated() {
      let records = generator.bytes(length)
      let expected = try referenceDatagram(
        records, number: UInt64(index) | unfragmentable, isFromDialler: true)
      #expect(ends.seal(records) == expected, "\(length) bytes")
      let (opening, datagram) = ends.open(expected)
      #expect(opening == .opened && datagram[offset...].elementsEqual(records), "\(length) bytes")
    }
  }

  @Test(arguments: captureKeys.keys.sorted())
  func everyRecordedDatagramIsOpenedOnce(name: String) throws {
    let datagrams = try recorded(name)
    #expect(datagrams.count > 60 && datagrams.contains { $0.wasFragmented })
    let ends = try SleeveEnds(key: #require(captureKeys[name].map(bytes)))
    for datagram in datagrams.map(\.payload) {
      let receiver = isFromDialler(datagram) ? ends.dialled : ends.dialler
      let (opening, opened) = ends.sessions.open(datagram, session: receiver)
      #expect(opening == .opened && opened != datagram)
      #expect(ends.sessions.open(datagram, session: receiver).0 == .replayed)
    }
  }

  /// Our counters give the recorded numbers, except for those that Weave used in vain, for what was
  /// too long to be sent.
  @Test(arguments: captureKeys.keys.sorted(), [false, true])
  func everyRecordedDatagramIsSealedAgainAsRecorded(name: String, isOutbound: Bool) throws {
    let sent = try recorded(name).map(\.payload).filter { isFromDialler($0) == isOutbound }
      .sorted { number(of: $0) < number(of: $1) }
    let ends = try SleeveEnds(key: #require(captureKeys[name].map(bytes)))
    let (sender, receiver) =
      isOutbound ? (ends.dialler, ends.dialled) : (ends.dialled, ends.dialler)
    var unusedCount = 0
    for datagram in sent {
      let isFragmentable = number(of: datagram) & unfragmentable == 0
      let records = ends.sessions.open(datagram, session: receiver).1[offset...]
      var again: [UInt8] = []
      repeat {
        again = try #require(
          ends.sessions.seal(
            Array(records), isFragmentable: isFragmentable, session: sender))
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

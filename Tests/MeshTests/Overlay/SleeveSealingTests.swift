// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import TestSupport
import Testing

@testable import Mesh

/// A heartbeat of peer a for peer b, as Weave Net's own code seals it with the key 00 01 … 1f.
private struct Vector {
  var isOutbound: Bool
  var sequence: UInt64
  var box: String

  var datagram: [UInt8] {
    hexadecimal("02000000000a") + octets(sequence, 8) + hexadecimal(box)
  }
}

private let unfragmentable: UInt64 = 1 << 63

private let vectors = [
  Vector(
    isOutbound: true, sequence: unfragmentable,
    box: """
      3cf25877519930702e82a4810943a2171df248f80a905e73e11fe0172e887170cc5106609f1b0ab72099ced4588576
      46c9b651ee
      """),
  Vector(
    isOutbound: true, sequence: unfragmentable | 1,
    box: """
      cafebbaea49883a089373621fab7b618e99f0eb6a8340e1fdcda10362d15291e9bfb2e12a8a23ab35bef78baee6aaf
      03e8a0dc5e
      """),
  Vector(
    isOutbound: true, sequence: 0,
    box: """
      4c3a459aeb6a8f6602598455b1eadcc295629476ad414c141dc4daf79e3434b29621fbccdf0a71dbf1ee89f400e46f
      640e9f0063
      """),
  Vector(
    isOutbound: false, sequence: unfragmentable,
    box: """
      333a397d745777328db10c585173252be801c23ecdf5d24550c794bdd7ab333d6f065e231c4216af4ad7d6644394e4
      9e5bfcc67f
      """),
  Vector(
    isOutbound: false, sequence: 0,
    box: """
      9b768b5eb92dfcf384b81028362b64cd480ef04198a0bd335c5472042550bed2e43474f047e6284c6b034b8d2debec
      768062a485
      """),
]

private let records = sleeveRecord(from: dialled, to: dialler, heartbeatFrame())

@Suite struct SleeveSealingTests {
  private let key: SessionKey

  init() throws { key = try #require(testKey) }

  private func sealer(isOutbound: Bool) -> SleeveSealer {
    SleeveSealer(key: key, sender: dialled, isOutbound: isOutbound)
  }

  @Test func vectorsAreSealed() {
    for isOutbound in [false, true] {
      for isFragmentable in [false, true] {
        var sealer = sealer(isOutbound: isOutbound)
        let expected = vectors.filter {
          $0.isOutbound == isOutbound && ($0.sequence & unfragmentable == 0) == isFragmentable
        }
        for vector in expected {
          let datagram = sealer.seal(records, isFragmentable: isFragmentable)
          #expect(datagram == vector.datagram, "\(isOutbound) \(vector.sequence)")
        }
      }
    }
  }

  @Test func vectorsAreOpenedOnce() {
    for isOutbound in [false, true] {
      var opener = SleeveOpener(key: key, isOutbound: isOutbound)
      for vector in vectors {
        let isFromThere = vector.isOutbound == isOutbound
        let first = opener.open(vector.datagram)
        let second = opener.open(vector.datagram)
        #expect(first == (isFromThere ? .opened(records) : .notAuthentic))
        #expect(second == (isFromThere ? .replayed : .notAuthentic))
      }
    }
  }

  @Test func kindsAreCountedByThemselves() {
    var sealer = sealer(isOutbound: true)
    var opener = SleeveOpener(key: key, isOutbound: true)
    for number in 0..<UInt64(20) {
      for isFragmentable in [true, false] {
        let datagram = sealer.seal(records, isFragmentable: isFragmentable)
        let sequence = number | (isFragmentable ? 0 : unfragmentable)
        #expect(Array(datagram[6..<14]) == octets(sequence, 8))
        let outcome = opener.open(datagram)
        #expect(outcome == .opened(records))
      }
    }
  }

  @Test func everyChangedBitIsNoticed() {
    let datagram = vectors[1].datagram
    var opener = SleeveOpener(key: key, isOutbound: true)
    for bit in 48..<(datagram.count * 8) {
      var changed = datagram
      changed[bit / 8] ^= 1 << (bit % 8)
      let outcome = opener.open(changed)
      #expect(outcome == .notAuthentic, "bit \(bit)")
    }
    // What was not authentic has not moved the window.
    let outcome = opener.open(datagram)
    #expect(outcome == .opened(records))
  }

  @Test func cutDatagramsAreNotAuthentic() {
    let datagram = vectors[0].datagram
    var opener = SleeveOpener(key: key, isOutbound: true)
    for length in 0..<datagram.count {
      let outcome = opener.open(Array(datagram.prefix(length)))
      #expect(outcome == .notAuthentic, "length \(length)")
    }
  }

  @Test func datagramWithoutRecordsIsOpened() {
    var sealer = sealer(isOutbound: false)
    var opener = SleeveOpener(key: key, isOutbound: false)
    let outcome = opener.open(sealer.seal([], isFragmentable: true))
    #expect(outcome == .opened([]))
  }
}

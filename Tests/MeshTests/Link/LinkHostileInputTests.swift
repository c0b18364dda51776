// SPDX-License-Identifier: Apache-2.0

import Sealing
import TestSupport
import Testing

@testable import Mesh

@Suite struct LinkHostileInputTests {
  /// Every seed makes so many streams; eight seeds make 100,000.
  private static let streamCount = 12_500

  /// What a stranger may send: right beginnings, right frames, and noise.
  private static func stream(_ random: inout SeededGenerator, _ key: [UInt8]?) -> [UInt8] {
    var bytes: [UInt8] = []
    if random.number(below: 20) > 0 { bytes += Array("weave".utf8) + [1, 2] }
    if random.number(below: 10) > 0 { bytes += key.map { [1] + $0 } ?? [0] }
    for _ in 0..<random.number(below: 6) {
      let body = random.bytes(random.number(below: 50))
      bytes += [0, 0, UInt8(random.number(below: 64) / 63), UInt8(body.count)] + body
    }
    if random.number(below: 3) == 0 { bytes += random.bytes(random.number(below: 30)) }
    if random.number(below: 3) == 0, !bytes.isEmpty {
      bytes[random.number(below: bytes.count)] = UInt8(random.number(below: 256))
    }
    return bytes
  }

  @Test(arguments: fixedSeeds)
  func randomStreamsNeitherTrapNorFillMemory(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let pair = KeyPair(random: &random)
    let other = KeyPair(random: &random).publicKey
    let password = Password([1])
    var refusals = 0
    for _ in 0..<Self.streamCount {
      let hasPassword = random.number(below: 16) == 0
      var options = Link.Options(
        isOutbound: random.next() & 1 == 0, password: hasPassword ? password : nil,
        keyPair: pair)
      options.featureLengthMax = 100
      options.messageLengthMax = 400
      let bytes = Self.stream(&random, hasPassword ? other : nil)
      let isRefused = Self.feed(bytes, LinkSession(options, features: [1]), &random)
      if isRefused { refusals += 1 }
    }
    #expect(refusals > Self.streamCount / 8 && refusals < Self.streamCount, "\(random)")
  }

  /// Feeds a stream in pieces; whether it was refused.
  private static func feed(
    _ bytes: [UInt8], _ session: LinkSession, _ random: inout SeededGenerator
  ) -> Bool {
    var session = session
    var rest = bytes[...]
    var bodyCount = 0
    while !rest.isEmpty {
      let piece = Array(rest.prefix(1 + random.number(below: 40)))
      rest = rest.dropFirst(piece.count)
      do {
        bodyCount += try session.receive(piece).bodies.reduce(0) { $0 + $1.count }
      } catch {
        #expect(session.bufferedCount == 0, "\(random)")
        #expect(throws: error, "\(random)") { try session.receive(Array(rest)) }
        return true
      }
      // One frame at most, with its length, and the read.
      #expect(session.bufferedCount < 404 + piece.count, "\(random)")
    }
    #expect(bodyCount <= bytes.count, "\(random)")
    return false
  }

  @Test(arguments: fixedSeeds)
  func cutSessionsWaitForTheRest(seed: UInt64) throws {
    var pair = LinkPair(("x", "x"), SeededGenerator(seed: seed))
    let comment = Comment(rawValue: "\(pair.random)")
    pair.run()
    let frame = try pair.dialler.session.seal(pair.random.bytes(100))
    for length in 0..<frame.count {
      var session = pair.acceptor.session
      let progress = try session.receive(Array(frame[..<length]))
      #expect(progress.bodies.isEmpty && session.bufferedCount == length, comment)
      #expect(try session.receive(Array(frame[length...])).bodies.count == 1, comment)
    }
  }

  @Test func declaredLengthTakesNoMemory() throws {
    var buffer = LinkBuffer()
    buffer.append([0, 0xA0, 0, 0])
    #expect(buffer.take(4 + 10 * 1024 * 1024) == nil)
    #expect(buffer.capacity < 64)
  }

  @Test func bufferMovesAByteABoundedNumberOfTimes() throws {
    // A frame that comes byte by byte is never moved, and let go of when it is complete.
    var buffer = LinkBuffer()
    var isEarly = false
    for index in 0..<100_000 {
      if buffer.take(100_000) != nil { isEarly = true }
      buffer.append([UInt8(truncatingIfNeeded: index)])
      buffer.compact()
    }
    #expect(!isEarly && buffer.take(100_000)?.count == 100_000)
    buffer.compact()
    #expect(buffer.count == 0 && buffer.capacity == 0)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

/// The pieces that the product makes.
private func pieces(_ frame: [UInt8], frameLength: Int? = nil, mtu: Int) -> [[UInt8]]? {
  guard let plan = IPv4Fragmentation(frame.span, frameLength: frameLength, mtu: mtu) else {
    return nil
  }
  return (0..<plan.count).map { piece in
    var header = [UInt8](repeating: 0xEE, count: plan.headerLength)
    var span = header.mutableSpan
    plan.writeHeader(of: piece, into: &span)
    let bytes = header + frame[plan.payload(of: piece)]
    #expect(bytes.count == plan.length(of: piece))
    return bytes
  }
}

/// The same as one would write it down from RFC 791, for frames without tag: eight bytes of payload
/// after the other go into a piece until it is full.
private func slowPieces(_ frame: [UInt8], mtu: Int) -> [[UInt8]] {
  let headerLength = Int(frame[14] % 16) * 4
  let total = Int(frame[16]) * 256 + Int(frame[17])
  guard total > mtu else { return [Array(frame.prefix(14 + total))] }
  var rest = Array(frame[(14 + headerLength)..<(14 + total)])
  let flags = Int(frame[20]) * 256 + Int(frame[21])
  var place = flags % 8192
  var pieces: [[UInt8]] = []
  while !rest.isEmpty {
    var payload: [UInt8] = []
    let first = place
    while !rest.isEmpty, headerLength + payload.count + 8 <= mtu {
      payload += rest.prefix(8)
      rest = Array(rest.dropFirst(8))
      place += 1
    }
    let more = !rest.isEmpty || flags & 0x2000 != 0
    var piece = Array(frame.prefix(14 + headerLength))
    piece.replaceSubrange(16..<18, with: octets(UInt16(headerLength + payload.count)))
    piece.replaceSubrange(
      20..<22, with: octets(UInt16(flags & 0x8000 | first | (more ? 0x2000 : 0))))
    repair(&piece)
    pieces.append(piece + payload)
  }
  return pieces
}

/// The payload of all pieces, put where each says it belongs.
private func reassemble(_ pieces: [[UInt8]]) -> (payload: [UInt8], isComplete: Bool) {
  var bytes: [Int: UInt8] = [:]
  var end: Int?
  for piece in pieces {
    let headerLength = Int(piece[14] % 16) * 4
    let place = (Int(piece[20]) * 256 + Int(piece[21])) % 8192 * 8
    let payload = piece.dropFirst(14 + headerLength)
    for (index, byte) in payload.enumerated() { bytes[place + index] = byte }
    if piece[20] & 0x20 == 0 { end = place + payload.count }
  }
  let payload = bytes.keys.sorted().compactMap { bytes[$0] }
  return (payload, end == payload.count)
}

private func random(_ generator: inout SeededGenerator, payloadLength: Int) -> [UInt8] {
  var builder = FrameBuilder()
  builder.identification = generator.uint16()
  builder.options = generator.bytes(4 * generator.number(below: 11))
  return builder.udp(
    sourcePort: 1, destinationPort: 2, payload: generator.bytes(payloadLength))
}

@Suite struct IPv4FragmentationTests {
  /// 20 bytes of payload at an MTU of 36: 16 and 4.
  @Test func goldenPacketIsCut() {
    let ethernet = "02000000000B 02000000000A 0800"
    let frame = hexadecimal(
      ethernet + "45 00 0028 1234 0000 40 11 544F 0A200001 0A200002"
        + "000102030405060708090A0B0C0D0E0F10111213")
    #expect(
      pieces(frame, mtu: 36) == [
        hexadecimal(
          ethernet + "45 00 0024 1234 2000 40 11 3453 0A200001 0A200002"
            + "000102030405060708090A0B0C0D0E0F"),
        hexadecimal(
          ethernet + "45 00 0018 1234 0002 40 11 545D 0A200001 0A200002 10111213"),
      ])
  }

  @Test(arguments: fixedSeeds)
  func piecesAreThoseOfTheReferenceAndMakeTheWhole(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<60 {
      let frame = random(&generator, payloadLength: generator.number(below: 3000))
      let headerLength = Int(frame[14] % 16) * 4
      let mtu = headerLength + 8 + generator.number(below: 1500)
      let cut = try #require(pieces(frame, mtu: mtu), "\(generator), round \(round)")
      #expect(cut == slowPieces(frame, mtu: mtu), "\(generator), round \(round)")
      #expect(cut.allSatisfy { $0.count <= 14 + mtu }, "\(generator), round \(round)")
      let whole = reassemble(cut)
      #expect(whole.isComplete && whole.payload == Array(frame[(14 + headerLength)...]))
    }
  }

  @Test(arguments: fixedSeeds)
  func fragmentsAreCutAgain(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<30 {
      let frame = random(&generator, payloadLength: 500 + generator.number(below: 3000))
      let headerLength = Int(frame[14] % 16) * 4
      var cut = [frame]
      for mtu in [1400, 576, 300, 128] {
        cut = try cut.flatMap { piece in
          let again = try #require(pieces(piece, mtu: mtu), "\(generator), round \(round)")
          #expect(again == slowPieces(piece, mtu: mtu), "\(generator), round \(round)")
          return again
        }
      }
      let whole = reassemble(cut.shuffled(using: &generator))
      #expect(whole.isComplete && whole.payload == Array(frame[(14 + headerLength)...]))
    }
  }

  @Test func whatPaddedAPacketIsLeftOut() {
    let frame = FrameBuilder().udp(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3])
    #expect(pieces(padded(frame), mtu: 31) == [frame])
    let long = FrameBuilder().udp(
      sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 3, count: 100))
    #expect(pieces(long + [9, 9, 9], mtu: 60) == slowPieces(long, mtu: 60))
  }

  @Test func aTagIsKeptAndCounted() throws {
    let frame = FrameBuilder().udp(
      sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 3, count: 600))
    let tag: [UInt8] = [0x81, 0, 0, 7]
    let tagged = Array(frame.prefix(12)) + tag + frame.dropFirst(12)
    let cut = try #require(pieces(tagged, mtu: 300))
    let expected = slowPieces(frame, mtu: 296).map {
      Array($0.prefix(12)) + tag + $0.dropFirst(12)
    }
    #expect(cut == expected)
  }

  @Test func aBeginningIsEnoughForAPlan() {
    let frame = FrameBuilder().udp(
      sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 3, count: 60_000))
    let head = Array(frame.prefix(34))
    let plan = IPv4Fragmentation(head.span, frameLength: frame.count, mtu: 1400)
    #expect(plan?.count == 44 && plan?.payload(of: 43).upperBound == frame.count)
  }

  @Test func whatMustNotBeCutIsNot() {
    var builder = FrameBuilder()
    builder.dontFragment = true
    let payload = [UInt8](repeating: 3, count: 600)
    let frame = builder.udp(sourcePort: 1, destinationPort: 2, payload: payload)
    #expect(pieces(frame, mtu: 300) == nil)
    #expect(pieces(builder.ipv6(nextHeader: 17, payload: payload), mtu: 300) == nil)
    #expect(pieces(builder.arpRequest(), mtu: 20) == nil)
    builder.dontFragment = false
    let plain = builder.udp(sourcePort: 1, destinationPort: 2, payload: payload)
    for mtu in [-100, 0, 20, 27] { #expect(pieces(plain, mtu: mtu) == nil, "MTU \(mtu)") }
    #expect(pieces(plain, mtu: 28)?.count == 76)
  }

  @Test func placesThatNoPacketHasAreRefused() {
    var frame = FrameBuilder().udp(
      sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 3, count: 600))
    func at(_ flags: UInt16) -> [[UInt8]]? {
      frame.replaceSubrange(20..<22, with: octets(flags))
      repair(&frame)
      return pieces(frame, mtu: 300)
    }
    // 608 bytes of payload and the header behind 8112 * 8 are 65,524 bytes; behind 8115, too many.
    #expect(at(8112) != nil && at(8115) == nil && at(0x1FFF) == nil)
    #expect(at(0x2000 | 8112) != nil)
    // The end of all but the last is at a multiple of 8.
    var odd = FrameBuilder().udp(
      sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 3, count: 601))
    odd.replaceSubrange(20..<22, with: [0x20, 0])
    repair(&odd)
    #expect(pieces(odd, mtu: 300) == nil)
  }

  @Test func truncatedFramesAreNotCut() {
    let frame = FrameBuilder().udp(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3, 4])
    for length in 0..<frame.count {
      #expect(pieces(Array(frame.prefix(length)), mtu: 28) == nil, "length \(length)")
    }
  }

  @Test(arguments: fixedSeeds)
  func mutatedFramesNeverTrapAndAreCutAsTheReferenceDoes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var count = 0
    for round in 0..<2_000 {
      var frame = random(&generator, payloadLength: generator.number(below: 400))
      for _ in 0..<generator.number(below: 4) {
        frame[generator.number(below: 40)] = generator.uint8()
      }
      repair(&frame)
      let mtu = generator.number(below: 300)
      guard let cut = pieces(frame, mtu: mtu) else { continue }
      count += 1
      guard frame[12] == 8 else { continue }
      #expect(cut == slowPieces(frame, mtu: mtu), "\(generator), round \(round)")
    }
    #expect(count > 200, "\(generator)")
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    let golden = FrameBuilder().udp(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3, 4])
    hammer(seed: seed, golden: golden) { _ = pieces($0, mtu: 28) }
  }
}

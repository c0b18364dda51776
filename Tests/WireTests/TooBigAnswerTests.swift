// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private func answer(
  to frame: [UInt8], frameLength: Int? = nil, mtu: Int, room: Int = 2000
) -> [UInt8]? {
  var bytes = [UInt8](repeating: 0xEE, count: room)
  var span = bytes.mutableSpan
  guard
    let length = writeTooBigAnswer(
      to: frame.span, frameLength: frameLength, mtu: mtu, into: &span)
  else {
    #expect(bytes.allSatisfy { $0 == 0xEE }, "no answer, but something was written")
    return nil
  }
  #expect(bytes[length...].allSatisfy { $0 == 0xEE }, "written beyond the answer")
  return Array(bytes.prefix(length))
}

/// A frame that may not be fragmented, from 10.32.0.1 to 10.32.0.2.
private func unfragmentable(
  _ change: (inout FrameBuilder) -> Void = { _ in }, payloadLength: Int = 1400
) -> [UInt8] {
  var builder = FrameBuilder()
  builder.dontFragment = true
  change(&builder)
  return builder.udp(
    sourcePort: 1000, destinationPort: 2000, payload: [UInt8](repeating: 7, count: payloadLength))
}

private func ipv6(_ nextHeader: UInt8 = 17, _ payload: [UInt8]? = nil) -> [UInt8] {
  FrameBuilder().ipv6(
    nextHeader: nextHeader, payload: payload ?? [UInt8](repeating: 9, count: 1440))
}

/// The frame with a VLAN tag.
private func tagged(_ frame: [UInt8]) -> [UInt8] {
  Array(frame.prefix(12)) + [0x81, 0, 0x20, 5] + frame.dropFirst(12)
}

/// The sum over pseudo header and message, which is 0 of a right checksum.
private func ipv6Checksum(_ packet: [UInt8]) -> UInt16 {
  let message = Array(packet.dropFirst(40))
  return internetChecksum(
    Array(packet[8..<40]) + octets(UInt32(message.count)) + octets(UInt32(packet[6])) + message)
}

@Suite struct TooBigAnswerTests {
  /// 576 bytes fit; the message's sum is 0304 + 0240 + the quoted words.
  @Test func goldenAnswerNamesTheMTUAndQuotesTheHeader() throws {
    let quoted = hexadecimal(
      "45 B8 02BC 1234 4000 40 11 1103 0A200001 0A200002 03E8 07D0 02A8 1111")
    let frame =
      hexadecimal("02000000000B 02000000000A 0800") + quoted
      + [UInt8](repeating: 5, count: 672)
    var expected = hexadecimal("02000000000A 02000000000B 0800")
    var header = hexadecimal("45 B8 0038 0000 0000 40 01 0000 0A200002 0A200001")
    header.replaceSubrange(10..<12, with: octets(internetChecksum(header)))
    var message = hexadecimal("03 04 0000 0000 0240") + quoted
    message.replaceSubrange(2..<4, with: octets(internetChecksum(message)))
    expected += header + message
    let checked = internetChecksum(Array(quoted.prefix(20)))
    try #require(checked == 0, "the golden header's checksum is off by \(checked)")
    #expect(answer(to: frame, mtu: 576) == expected)
  }

  @Test func optionsAreQuotedToo() throws {
    for count in stride(from: 0, through: 40, by: 4) {
      let frame = unfragmentable { $0.options = [UInt8](repeating: 1, count: count) }
      let written = try #require(answer(to: frame, mtu: 1000))
      #expect(written.count == 14 + 20 + 8 + 20 + count + 8)
      #expect(Array(written[42...]) == Array(frame[14..<14 + 28 + count]))
      #expect(internetChecksum(Array(written[14..<34])) == 0)
      #expect(internetChecksum(Array(written[34...])) == 0)
    }
  }

  @Test func answerToIPv6HasTheLeastMTUOfAllLinksAtMost() throws {
    let frame = ipv6()
    let written = try #require(answer(to: frame, mtu: 1400))
    #expect(written.count == 14 + 1280)
    #expect(Array(written[0..<14]) == hexadecimal("02000000000A 02000000000B 86DD"))
    #expect(Array(written[14..<22]) == hexadecimal("60000000 04D8 3A 40"))
    #expect(Array(written[22..<38]) == Array(frame[38..<54]))
    #expect(Array(written[38..<54]) == Array(frame[22..<38]))
    #expect(Array(written[54..<56]) == [2, 0] && Array(written[58..<62]) == octets(UInt32(1400)))
    #expect(Array(written[62...]) == Array(frame[14..<14 + 1232]))
    #expect(ipv6Checksum(Array(written[14...])) == 0)
  }

  @Test func shorterRoomAndShorterBeginningsShortenWhatIsQuotedOfIPv6() throws {
    let whole = ipv6()
    for (seen, room) in [(1494, 200), (300, 2000), (54, 2000), (1494, 102), (301, 251)] {
      let frame = Array(whole.prefix(seen))
      let written = try #require(answer(to: frame, frameLength: 1494, mtu: 1400, room: room))
      #expect(written.count == min(room, 14 + 48 + seen - 14))
      #expect(ipv6Checksum(Array(written[14...])) == 0, "\(seen) of \(room)")
    }
    #expect(answer(to: whole, mtu: 1400, room: 101) == nil)
    #expect(answer(to: unfragmentable(), mtu: 1000, room: 69) == nil)
    #expect(answer(to: unfragmentable(), mtu: 1000, room: 70) != nil)
  }

  @Test func aBeginningIsEnoughForIPv4() {
    let frame = unfragmentable()
    let whole = answer(to: frame, mtu: 1000)
    #expect(answer(to: Array(frame.prefix(42)), frameLength: frame.count, mtu: 1000) == whole)
    #expect(answer(to: Array(frame.prefix(41)), frameLength: frame.count, mtu: 1000) == nil)
  }

  @Test func whatFitsOrMayBeFragmentedIsNotAnswered() {
    let frame = unfragmentable()
    #expect(answer(to: frame, mtu: 1428) == nil)
    #expect(answer(to: frame, mtu: 1427) != nil)
    #expect(answer(to: frame + [0, 0, 0, 0], mtu: 1428) == nil)
    #expect(answer(to: frame, mtu: 0) == nil && answer(to: frame, mtu: -20) == nil)
    #expect(answer(to: unfragmentable { $0.dontFragment = false }, mtu: 1000) == nil)
    #expect(answer(to: ipv6(), mtu: 1480) == nil && answer(to: ipv6(), mtu: 1479) != nil)
    #expect(answer(to: FrameBuilder().arpRequest(), mtu: 10) == nil)
  }

  @Test func nobodyIsToldLessThanEveryLinkCarriesOfIPv6() throws {
    let written = try #require(answer(to: ipv6(), mtu: 600))
    #expect(Array(written[58..<62]) == octets(UInt32(1280)))
    let payload = [UInt8](repeating: 1, count: 1240)
    #expect(answer(to: ipv6(17, payload), mtu: 600) == nil)
    #expect(answer(to: ipv6(17, payload + [1]), mtu: 600) != nil)
  }

  @Test func aTagIsKeptAndCounted() throws {
    let four = tagged(unfragmentable())
    let written = try #require(answer(to: four, mtu: 1000))
    #expect(Array(written[12..<18]) == [0x81, 0, 0x20, 5, 8, 0])
    #expect(Array(written[44..<46]) == octets(UInt16(996)))
    #expect(answer(to: four, mtu: 1432) == nil && answer(to: four, mtu: 1431) != nil)
    let six = try #require(answer(to: tagged(ipv6()), mtu: 1404))
    #expect(six.count == tooBigAnswerLengthMax && ipv6Checksum(Array(six[18...])) == 0)
    #expect(Array(six[62..<66]) == octets(UInt32(1400)))
  }

  @Test func groupsAndNobodyAreNotAnswered() {
    let bad: [UInt32] = [0, 0x7F00_0001, 0xE000_0001, 0xF000_0001, 0xFFFF_FFFF]
    for address in bad {
      let address = IPv4Address(bits: address)
      #expect(answer(to: unfragmentable { $0.source = address }, mtu: 1000) == nil)
      #expect(answer(to: unfragmentable { $0.destination = address }, mtu: 1000) == nil)
    }
    for mac in [MACAddress.broadcast, MACAddress(bits: 0x0100_5E00_0001)] {
      #expect(answer(to: unfragmentable { $0.destinationMAC = mac }, mtu: 1000) == nil)
      #expect(answer(to: unfragmentable { $0.sourceMAC = mac }, mtu: 1000) == nil)
    }
    #expect(answer(to: unfragmentable { $0.sourceMAC = .zero }, mtu: 1000) == nil)
    for offset in [22, 38] {
      for address: [UInt8] in [[0xFF, 2], [0, 0]] {
        var frame = ipv6()
        frame.replaceSubrange(
          offset..<offset + 16, with: address + [UInt8](repeating: 0, count: 14))
        #expect(answer(to: frame, mtu: 1400) == nil)
      }
      var loopback = ipv6()
      loopback.replaceSubrange(
        offset..<offset + 16, with: [UInt8](repeating: 0, count: 15) + [1])
      #expect(answer(to: loopback, mtu: 1400) == nil)
    }
  }

  @Test func onlyQuestionsOfICMPAreAnswered() {
    for type in UInt8.min...UInt8.max {
      var builder = FrameBuilder()
      builder.dontFragment = true
      let payload = [type] + [UInt8](repeating: 0, count: 1400)
      let isQuestion = [0, 8, 9, 10, 42, 43].contains(type) || 13...18 ~= type
      let written = answer(to: builder.ipv4(protocolNumber: 1, payload: payload), mtu: 1000)
      #expect((written != nil) == isQuestion, "type \(type)")
      let six = answer(to: ipv6(58, payload), mtu: 1400)
      #expect((six != nil) == (type >= 128 && type != 137), "type \(type)")
    }
  }

  @Test func laterFragmentsAreNotAnswered() throws {
    var frame = unfragmentable()
    frame.replaceSubrange(20..<22, with: [0x60, 0])
    repair(&frame)
    #expect(answer(to: frame, mtu: 1000) != nil)
    frame.replaceSubrange(20..<22, with: [0x40, 1])
    repair(&frame)
    #expect(answer(to: frame, mtu: 1000) == nil)
    let rest = [UInt8](repeating: 0, count: 1400)
    #expect(answer(to: ipv6(44, [17, 0, 0, 1, 0, 0, 0, 1] + rest), mtu: 1400) != nil)
    #expect(answer(to: ipv6(44, [17, 0, 0, 8, 0, 0, 0, 1] + rest), mtu: 1400) == nil)
  }

  @Test func errorsOfICMPAreFoundBehindOtherHeadersOfIPv6() {
    let rest = [UInt8](repeating: 0, count: 1400)
    let hop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
    let options: [UInt8] = [43, 1] + [UInt8](repeating: 0, count: 14)
    let routing: [UInt8] = [51, 0, 0, 0, 0, 0, 0, 0]
    let authentication: [UInt8] = [44, 1] + [UInt8](repeating: 0, count: 10)
    let fragment: [UInt8] = [58, 0, 0, 1, 0, 0, 0, 1]
    let chain = hop + options + routing + authentication + fragment
    #expect(answer(to: ipv6(0, chain + [128] + rest), mtu: 1400) != nil)
    #expect(answer(to: ipv6(0, chain + [1] + rest), mtu: 1400) == nil)
    // Of headers that are not all there nothing can be told.
    let long: [UInt8] = [60, 255, 0, 0, 0, 0, 0, 0]
    #expect(answer(to: ipv6(60, long + rest), mtu: 1400) == nil)
  }

  @Test func damagedHeadersAreNotAnswered() {
    let frame = unfragmentable()
    for index in 14..<34 {
      var damaged = frame
      damaged[index] ^= 0x11
      #expect(answer(to: damaged, mtu: 1000) == nil, "byte \(index)")
    }
    var jumbo = ipv6(0)
    jumbo.replaceSubrange(18..<20, with: [0, 0])
    #expect(answer(to: jumbo, mtu: 1400) == nil)
  }

  @Test func truncatedFramesAreNotAnswered() {
    for frame in [unfragmentable(), ipv6(), tagged(unfragmentable())] {
      for length in 0..<frame.count where answer(to: Array(frame.prefix(length)), mtu: 500) != nil {
        Issue.record("length \(length)")
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func whateverIsAnsweredTheAnswerIsSound(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let goldens = [unfragmentable(), ipv6(), tagged(unfragmentable()), tagged(ipv6()), ipv6(58)]
    var answered = 0
    for round in 0..<4_000 {
      var frame = goldens[round % goldens.count]
      for _ in 0..<random.number(below: 4) { frame[random.number(below: 80)] = random.uint8() }
      if random.bool() { repair(&frame) }
      let mtu = random.number(below: 1600)
      guard let written = answer(to: frame, mtu: mtu) else { continue }
      answered += 1
      let start = written[12] == 0x81 ? 18 : 14
      let packet = Array(written[start...])
      let isSound =
        written.count <= 1298
        && (packet[0] == 0x45
          ? internetChecksum(Array(packet[0..<20])) + internetChecksum(Array(packet[20...])) == 0
          : ipv6Checksum(packet) == 0)
      #expect(isSound, "\(random), round \(round)")
      // Nobody answers an answer.
      #expect(answer(to: written, mtu: 30) == nil, "\(random), round \(round)")
    }
    #expect(answered > 500, "\(random)")
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: Array(unfragmentable(payloadLength: 40).prefix(70))) { bytes in
      _ = answer(to: bytes, mtu: 40)
    }
  }
}

/// Makes the checksum of an untagged frame's IPv4 header right.
func repair(_ frame: inout [UInt8]) {
  let length = 4 * Int(frame[14] & 0xF)
  guard length >= 20, frame.count >= 14 + length else { return }
  frame.replaceSubrange(24..<26, with: [0, 0])
  frame.replaceSubrange(24..<26, with: octets(internetChecksum(Array(frame[14..<14 + length]))))
}

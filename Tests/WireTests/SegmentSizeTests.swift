// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

/// The frame after the clamp, nil if nothing was to be done.
private func clamped(_ frame: [UInt8], frameLength: Int? = nil, mtu: Int) -> [UInt8]? {
  var bytes = frame
  var span = bytes.mutableSpan
  let isChanged = clampSegmentSize(of: &span, frameLength: frameLength, mtu: mtu)
  #expect(isChanged == (bytes != frame))
  return isChanged ? bytes : nil
}

/// A TCP segment with a right checksum for the addresses of `FrameBuilder`.
private func segment(_ options: [UInt8], flags: UInt8 = 2, payload: [UInt8] = []) -> [UInt8] {
  precondition(options.count % 4 == 0)
  var bytes = octets(UInt16(40_000)) + octets(UInt16(80)) + octets(UInt32(7)) + octets(UInt32(0))
  bytes += [UInt8((20 + options.count) / 4 * 16), flags, 0xFF, 0xFF, 0, 0, 0, 0]
  return bytes + options + payload
}

private func ipv4(_ segment: [UInt8], options: [UInt8] = []) -> [UInt8] {
  var builder = FrameBuilder()
  builder.options = options
  var segment = segment
  segment.replaceSubrange(16..<18, with: octets(sum(segment, isIPv6: false)))
  return builder.ipv4(protocolNumber: 6, payload: segment)
}

private func ipv6(_ segment: [UInt8]) -> [UInt8] {
  var segment = segment
  segment.replaceSubrange(16..<18, with: octets(sum(segment, isIPv6: true)))
  return FrameBuilder().ipv6(nextHeader: 6, payload: segment)
}

/// The checksum over the pseudo header and a segment; 0 if the segment holds the right one.
///
/// Zeros do not count, so IPv6's pseudo header adds up to IPv4's here.
private func sum(_ segment: [UInt8], isIPv6: Bool) -> UInt16 {
  let builder = FrameBuilder()
  return internetChecksum(
    octets(builder.source.bits) + octets(builder.destination.bits) + [0, 6]
      + octets(UInt16(segment.count)) + segment)
}

private func words(_ frame: [UInt8]) -> (LeadingWords, UInt64)? {
  guard frame.count >= 48, let words = LeadingWords(frame.span) else { return nil }
  return (words, frame.span.loadUInt64(at: 40).byteSwapped)
}

@Suite struct SegmentSizeTests {
  static let mss: [UInt8] = [2, 4, 0x05, 0xB4]

  @Test(arguments: [UInt8(0x02), 0x12, 0xC2])
  func synAsksForWhatFits(flags: UInt8) throws {
    let four = try #require(clamped(ipv4(segment(SegmentSizeTests.mss, flags: flags)), mtu: 1400))
    #expect(Array(four[54..<58]) == [2, 4] + octets(UInt16(1360)))
    #expect(sum(Array(four[34...]), isIPv6: false) == 0)
    let six = try #require(clamped(ipv6(segment(SegmentSizeTests.mss, flags: flags)), mtu: 1400))
    #expect(Array(six[74..<78]) == [2, 4] + octets(UInt16(1340)))
    #expect(sum(Array(six[54...]), isIPv6: true) == 0)
  }

  @Test func nothingElseChanges() throws {
    let frame = ipv4(segment(SegmentSizeTests.mss + [4, 2, 1, 1], payload: [1, 2, 3]))
    let changed = try #require(clamped(frame, mtu: 1400))
    let differences = frame.indices.filter { frame[$0] != changed[$0] }
    #expect(Set(differences).isSubset(of: [50, 51, 56, 57]))
  }

  @Test func whatFitsIsNotRaised() {
    let frame = ipv4(segment(SegmentSizeTests.mss))
    #expect(clamped(frame, mtu: 1500) == nil && clamped(frame, mtu: 9000) == nil)
    #expect(clamped(frame, mtu: 1499) != nil)
    for mtu in [-1, 0, 40] { #expect(clamped(frame, mtu: mtu) == nil) }
  }

  @Test func onlySYNsAreTouched() {
    for flags in UInt8.min...UInt8.max {
      let frame = ipv4(segment(SegmentSizeTests.mss, flags: flags))
      #expect((clamped(frame, mtu: 1400) != nil) == (flags & 2 != 0), "flags \(flags)")
    }
    let asUDP = FrameBuilder().ipv4(protocolNumber: 17, payload: segment(SegmentSizeTests.mss))
    #expect(clamped(asUDP, mtu: 1400) == nil)
    let behind = FrameBuilder().ipv6(
      nextHeader: 60, payload: [6, 0, 1, 4, 0, 0, 0, 0] + segment(SegmentSizeTests.mss))
    #expect(clamped(behind, mtu: 1400) == nil)
  }

  @Test func firstFragmentsAreTouchedAndOthersNot() throws {
    var frame = ipv4(segment(SegmentSizeTests.mss))
    frame.replaceSubrange(20..<22, with: [0x20, 0])
    repair(&frame)
    #expect(clamped(frame, mtu: 1400) != nil)
    frame.replaceSubrange(20..<22, with: [0, 1])
    repair(&frame)
    #expect(clamped(frame, mtu: 1400) == nil)
  }

  @Test func placesEvenAndOddAreFound() throws {
    for before in 0..<8 {
      let noise = [UInt8](repeating: 1, count: before)
      let options = noise + SegmentSizeTests.mss
      let filled = options + [UInt8](repeating: 0, count: (4 - options.count % 4) % 4)
      let frame = ipv4(segment(filled), options: [1, 1, 1, 0])
      let changed = try #require(clamped(frame, mtu: 1000), "\(before) bytes before it")
      #expect(Array(changed[(60 + before)..<(62 + before)]) == octets(UInt16(960)))
      #expect(sum(Array(changed[38...]), isIPv6: false) == 0, "\(before) bytes before it")
    }
  }

  @Test func damagedOptionsStayAsTheyAre() {
    let damaged: [[UInt8]] = [
      [2, 3, 5, 0xB4], [2, 5, 5, 0xB4, 0, 0, 0, 0], [2, 0, 5, 0xB4], [2, 1, 5, 0xB4],
      SegmentSizeTests.mss + SegmentSizeTests.mss, SegmentSizeTests.mss + [3, 9, 1, 1],
      SegmentSizeTests.mss + [1, 1, 1, 8], [1, 2, 4, 5], [1, 1, 2, 4], [0, 2, 4, 5, 0xB4, 0, 0, 0],
      [8, 10, 0, 0], SegmentSizeTests.mss + [3, 0, 1, 1],
    ]
    for options in damaged {
      #expect(clamped(ipv4(segment(options)), mtu: 100) == nil, "\(options)")
    }
    #expect(clamped(ipv4(segment(SegmentSizeTests.mss + [0, 9, 9, 9])), mtu: 100) != nil)
  }

  @Test func headersMustBeThere() {
    for frame in [ipv4(segment(SegmentSizeTests.mss)), ipv6(segment(SegmentSizeTests.mss))] {
      for length in 0..<frame.count {
        #expect(clamped(Array(frame.prefix(length)), mtu: 1000) == nil, "length \(length)")
        let isThere =
          clamped(
            Array(frame.prefix(length)), frameLength: frame.count, mtu: 1000) != nil
        #expect(!isThere, "length \(length)")
      }
    }
    for claimed in 0..<16 where claimed != 6 {
      var bytes = segment(SegmentSizeTests.mss)
      bytes[12] = UInt8(claimed * 16)
      #expect(clamped(ipv4(bytes), mtu: 1000) == nil, "\(claimed) words of header")
    }
  }

  @Test func aTagIsCounted() throws {
    let frame = ipv4(segment(SegmentSizeTests.mss))
    let tagged = Array(frame.prefix(12)) + [0x81, 0, 0, 5] + frame.dropFirst(12)
    let changed = try #require(clamped(tagged, mtu: 1404))
    #expect(Array(changed[60..<62]) == octets(UInt16(1360)))
  }

  @Test func noSYNEscapesTheQuickTest() throws {
    for flags in UInt8.min...UInt8.max {
      let (four, next) = try #require(words(ipv4(segment(SegmentSizeTests.mss, flags: flags))))
      #expect(four.mayBeSYN(next) == (flags & 2 != 0), "flags \(flags)")
    }
    let optional = ipv4(segment(SegmentSizeTests.mss), options: [1, 1, 1, 0])
    for frame in [optional, ipv6(segment(SegmentSizeTests.mss))] {
      let (first, next) = try #require(words(frame))
      #expect(first.mayBeSYN(next))
    }
  }

  @Test func otherFramesDoNotPassTheQuickTest() throws {
    var generator = SeededGenerator(seed: 1)
    let builder = FrameBuilder()
    let others = [
      builder.udp(sourcePort: 1, destinationPort: 2, payload: generator.bytes(50)),
      builder.echoRequest(payload: [UInt8](repeating: 0xFF, count: 50)),
      padded(builder.arpRequest()),
      builder.ipv6(nextHeader: 17, payload: [UInt8](repeating: 0xFF, count: 50)),
      builder.tcp(sourcePort: 1, destinationPort: 2, flags: 0x10, payload: [1]),
    ]
    for frame in others {
      let (first, next) = try #require(words(frame))
      #expect(!first.mayBeSYN(next))
    }
  }

  @Test(arguments: fixedSeeds)
  func mutatedFramesNeverTrapAndKeepTheirSums(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var changes = 0
    for round in 0..<4_000 {
      let isIPv6 = random.bool()
      var options = SegmentSizeTests.mss + random.bytes(4 * random.number(below: 5))
      if random.bool() { options = [1, 3, 3, 7, 1, 1, 2, 4, 5, 0xB4, 1, 1] }
      var frame = isIPv6 ? ipv6(segment(options)) : ipv4(segment(options))
      for _ in 0..<random.number(below: 3) {
        frame[random.number(below: frame.count)] = random.uint8()
      }
      if !isIPv6 { repair(&frame) }
      let mtu = random.number(below: 1600)
      guard let changed = clamped(frame, mtu: mtu) else { continue }
      changes += 1
      // Right or wrong before, the sum of all that is covered is the same after.
      #expect(folded(frame) == folded(changed), "\(random), round \(round)")
      if let (first, next) = words(frame), frame[12] != 0x81 {
        #expect(first.mayBeSYN(next), "\(random), round \(round)")
      }
    }
    #expect(changes > 500, "\(random)")
  }

  /// The sum of a frame's packet as 16-bit words from an even place.
  private func folded(_ frame: [UInt8]) -> UInt16 {
    internetChecksum(Array(frame.dropFirst(14))) % 0xFFFF
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: ipv4(segment(SegmentSizeTests.mss))) { _ = clamped($0, mtu: 90) }
  }
}

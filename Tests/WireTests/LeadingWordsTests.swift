// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private let ends = FrameBuilder()
private let inner = ends.udp(sourcePort: 1000, destinationPort: 2000, payload: [1, 2, 3])
private let golden = ends.vxlan(network: 0x12_3ABC, inner: inner)

/// The frame with a right checksum over its first 20 bytes of IPv4.
private func resummed(_ frame: [UInt8]) -> [UInt8] {
  guard frame.count >= 34 else { return frame }
  var frame = frame
  frame.replaceSubrange(24..<26, with: [0, 0])
  frame.replaceSubrange(24..<26, with: octets(internetChecksum(Array(frame[14..<34]))))
  return frame
}

/// What a worker does first, if the frame is long enough for it.
private func openQuickly(_ frame: [UInt8]) -> VXLANOpened? {
  guard frame.count >= 64, let words = LeadingWords(frame.span) else { return nil }
  return VXLANOpened(
    words, vxlan: frame.span.loadUInt64(at: 42).byteSwapped, frameLength: frame.count)
}

private func quickFlowHash(_ frame: [UInt8]) -> UInt32? {
  guard let words = LeadingWords(frame.span) else { return nil }
  return flowHash(words)
}

/// Counts the frames opened either way; fails if the quick way does not say what the other says.
private struct Comparison {
  var quickCount = 0
  var rejectedCount = 0

  mutating func compare(_ frame: [UInt8], _ generator: SeededGenerator) {
    let quick = openQuickly(frame)
    let opening = openVXLAN(frame.span)
    switch opening {
    case .rejected:
      rejectedCount += 1
      if quick != nil { Issue.record("\(frame): \(opening), \(generator)") }
    case .opened(let opened):
      quickCount += quick == nil ? 0 : 1
      // Options are all that the quick way leaves to the other.
      let isExpected = opened.innerOffset == 50 ? quick == opened : quick == nil
      if !isExpected { Issue.record("\(frame): \(opening), \(generator)") }
    }
  }
}

@Suite struct LeadingWordsTests {
  @Test func shorterFramesHaveNone() {
    #expect(LeadingWords(Array(golden.prefix(39)).span) == nil)
    #expect(LeadingWords(Array(golden.prefix(40)).span) != nil)
  }

  @Test(arguments: fixedSeeds)
  func quickOpeningSaysWhatTheFullOneSays(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var comparison = Comparison()
    for _ in 0..<20_000 {
      comparison.compare(generator.bytes(generator.number(below: 100)), generator)
      let changed = plausible(golden, &generator)
      comparison.compare(changed, generator)
      comparison.compare(resummed(changed), generator)
    }
    #expect(comparison.quickCount > 1000 && comparison.rejectedCount > 1000, "\(generator)")
  }

  /// Each byte of the headers set to each value, with the checksum as it was and made right.
  @Test func quickOpeningSaysWhatTheFullOneSaysForEveryByte() {
    var comparison = Comparison()
    let generator = SeededGenerator(seed: 0)
    for index in 0..<50 {
      for byte in UInt8.min...UInt8.max {
        var frame = golden
        frame[index] = byte
        comparison.compare(frame, generator)
        comparison.compare(resummed(frame), generator)
      }
    }
    #expect(comparison.quickCount > 1000 && comparison.rejectedCount > 1000)
  }

  @Test(arguments: fixedSeeds)
  func quickOpeningChecksEveryBitOfTheHeader(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<1000 {
      var builder = ends
      builder.source = .random(&generator)
      builder.destination = .random(&generator)
      builder.identification = generator.uint16()
      var frame = builder.vxlan(network: 1, inner: inner)
      #expect(openQuickly(frame) != nil, "\(generator)")
      frame[14 + generator.number(below: 20)] ^= 1 << UInt8(generator.number(below: 8))
      #expect(openQuickly(frame) == nil, "\(generator)")
    }
  }

  @Test(arguments: fixedSeeds)
  func quickFlowHashIsTheOther(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<5000 {
      var builder = ends
      builder.sourceMAC = .random(&generator)
      builder.destinationMAC = .random(&generator)
      builder.source = .random(&generator)
      builder.destination = .random(&generator)
      builder.identification = generator.uint16()
      let ports = (generator.uint16(), generator.uint16())
      let payload = generator.bytes(generator.number(below: 40))
      let frame =
        generator.bool()
        ? builder.udp(sourcePort: ports.0, destinationPort: ports.1, payload: payload)
        : builder.tcp(sourcePort: ports.0, destinationPort: ports.1, payload: payload)
      #expect(quickFlowHash(frame) == flowHash(frame.span), "\(generator)")
    }
  }

  @Test func quickFlowHashLeavesOutWhatIsNotPlain() {
    var options = ends
    options.options = [1, 1, 1, 0]
    let payload = [UInt8](repeating: 0, count: 100)
    let others =
      [
        options.udp(sourcePort: 1, destinationPort: 2), ends.echoRequest(), ends.arpRequest(),
        ends.ipv6(nextHeader: 17, payload: payload),
      ] + ends.fragments(size: 64, sourcePort: 1, destinationPort: 2, payload: payload)
    for frame in others {
      #expect(quickFlowHash(padded(frame)) == nil, "\(frame)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private func open(_ frame: [UInt8]) -> VXLANOpening { openVXLAN(frame.span) }

private let inner = FrameBuilder().udp(sourcePort: 1000, destinationPort: 2000, payload: [1, 2, 3])
private let outer = FrameBuilder(
  source: IPv4Address(bits: 0xC000_0201), destination: IPv4Address(bits: 0xC000_0202))
private let golden = outer.vxlan(network: 0x12_3ABC, inner: inner, destinationPort: 6784)

/// Puts a right checksum into a frame's IPv4 header without options.
private func resummed(_ frame: [UInt8]) -> [UInt8] {
  var frame = frame
  frame.replaceSubrange(24..<26, with: [0, 0])
  frame.replaceSubrange(24..<26, with: octets(internetChecksum(Array(frame[14..<34]))))
  return frame
}

private func changed(_ index: Int, to byte: UInt8) -> [UInt8] {
  var frame = golden
  frame[index] = byte
  return frame
}

@Suite struct VXLANOpeningTests {
  @Test func goldenFrameIsOpened() {
    guard case .opened(let opened) = open(golden) else {
      Issue.record("\(open(golden))")
      return
    }
    #expect(opened.source == outer.source && opened.destination == outer.destination)
    #expect(opened.destinationPort == 6784 && opened.network.bits == 0x12_3ABC)
    #expect(opened.innerOffset == 50 && opened.innerLength == inner.count)
  }

  @Test func whatTheTemplateWritesIsOpened() {
    let template = VXLANTemplate(
      sourceMAC: outer.sourceMAC, destinationMAC: outer.destinationMAC, source: outer.source,
      destination: outer.destination, destinationPort: 6784,
      network: VirtualNetwork(bits: 0x12_3ABC))
    for length in [14, 60, 1390, 9000] {
      var frame = [UInt8](repeating: 0xA5, count: 50 + length)
      var headers = [UInt8](repeating: 0, count: 50)
      var span = headers.mutableSpan
      template.write(into: &span, innerLength: length, sourcePort: 50_000)
      frame.replaceSubrange(0..<50, with: headers)
      guard case .opened(let opened) = open(frame) else {
        Issue.record("length \(length): \(open(frame))")
        continue
      }
      #expect(opened.innerOffset == 50 && opened.innerLength == length)
    }
  }

  @Test func optionsMoveTheInnerFrame() {
    for count in stride(from: 0, through: 40, by: 4) {
      var builder = outer
      builder.options = [UInt8](repeating: 1, count: count)
      guard case .opened(let opened) = open(builder.vxlan(network: 1, inner: inner)) else {
        Issue.record("\(count) bytes of options")
        continue
      }
      #expect(opened.innerOffset == 50 + count && opened.innerLength == inner.count)
    }
  }

  @Test func paddingIsNotPartOfTheInnerFrame() {
    let frame = outer.vxlan(network: 1, inner: Array(inner.prefix(14))) + [0xEE, 0xEE]
    guard case .opened(let opened) = open(frame) else {
      Issue.record("\(open(frame))")
      return
    }
    #expect(opened.innerLength == 14)
  }

  @Test func bytesOfThePacketAfterTheDatagramAreNotPartOfTheInnerFrame() {
    var frame = golden + [0xEE, 0xEE]
    frame.replaceSubrange(16..<18, with: octets(UInt16(frame.count - 14)))
    guard case .opened(let opened) = open(resummed(frame)) else {
      Issue.record("\(open(resummed(frame)))")
      return
    }
    #expect(opened.innerLength == inner.count)
  }

  @Test func everyTruncationIsSaidToBeTruncated() {
    for length in 0..<golden.count {
      #expect(
        open(Array(golden.prefix(length))) == .rejected(.truncated), "length \(length)")
    }
  }

  /// Each mistake alone, and the reason it must give.
  @Test(arguments: [
    (changed(12, to: 0x86), VXLANRejection.notIPv4),
    (changed(14, to: 0x65), .notIPv4),
    (changed(14, to: 0x44), .notIPv4),
    (changed(17, to: 0x10), .truncated),
    (changed(16, to: 0xFF), .truncated),
    (changed(22, to: 0x3F), .badHeaderChecksum),
    (resummed(changed(20, to: 0x20)), .fragment),
    (resummed(changed(21, to: 0x01)), .fragment),
    (resummed(changed(23, to: 6)), .notUDP),
    (changed(38, to: 0xFF), .badUDPLength),
    (changed(39, to: 7), .badUDPLength),
    (changed(39, to: 15), .noVXLANFlag),
    (changed(42, to: 0xF7), .noVXLANFlag),
    (changed(39, to: 16), .innerTooShort),
    (changed(39, to: 29), .innerTooShort),
  ])
  func everyMistakeHasItsReason(frame: [UInt8], reason: VXLANRejection) {
    #expect(open(frame) == .rejected(reason))
  }

  @Test func packetTooShortForUDPIsTruncated() {
    let frame = outer.ipv4(protocolNumber: 17, payload: [1, 2, 3, 4, 5, 6, 7])
    #expect(open(frame) == .rejected(.truncated))
    #expect(open(padded(frame)) == .rejected(.truncated))
  }

  @Test func otherFramesGiveTheirReasons() {
    #expect(open(outer.arpRequest()) == .rejected(.notIPv4))
    #expect(open(outer.ipv6(nextHeader: 17, payload: inner)) == .rejected(.notIPv4))
    #expect(open(outer.ethernet(type: 0x8100, payload: golden)) == .rejected(.notIPv4))
    #expect(open(outer.echoRequest()) == .rejected(.notUDP))
    #expect(open(outer.tcp(sourcePort: 1, destinationPort: 2)) == .rejected(.notUDP))
    let parts = outer.fragments(size: 64, sourcePort: 1, destinationPort: 6784, payload: golden)
    #expect(parts.map(open).allSatisfy { $0 == .rejected(.fragment) } && parts.count > 1)
  }

  /// What is accepted after a mutation must still lie within the frame.
  private func check(_ frame: [UInt8], _ message: @autoclosure () -> String) -> Bool {
    guard case .opened(let opened) = open(frame) else { return false }
    let end = opened.innerOffset + opened.innerLength
    if opened.innerOffset < 50 || opened.innerLength < 14 || end > frame.count {
      Issue.record("\(opened) in \(frame.count) bytes, \(message())")
    }
    return true
  }

  @Test func everySingleByteMutationStaysWithinTheFrame() {
    var accepted = 0
    for index in golden.indices {
      for byte in UInt8.min...UInt8.max {
        if check(changed(index, to: byte), "byte \(index) is \(byte)") { accepted += 1 }
        if 14..<34 ~= index {
          let frame = resummed(changed(index, to: byte))
          if check(frame, "byte \(index) is \(byte), checksum right") { accepted += 1 }
        }
      }
    }
    #expect(accepted > 256 * (12 + inner.count))
  }

  @Test(arguments: fixedSeeds)
  func randomBytesNeverTrap(seed: UInt64) {
    var builder = outer
    builder.options = [1, 1, 1, 0]
    let golden = builder.vxlan(network: 1, inner: inner)
    hammer(seed: seed, golden: golden) { frame in
      _ = check(frame, "seed \(seed)")
      _ = frame.count >= 34 && check(resummed(frame), "checksum right, seed \(seed)")
    }
  }

  @Test func everyReasonHasItsSentence() {
    let sentences = VXLANRejection.allCases.map(\.description)
    #expect(Set(sentences).count == VXLANRejection.allCases.count)
  }
}

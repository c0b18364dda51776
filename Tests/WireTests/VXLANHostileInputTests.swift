// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private let inner = FrameBuilder().udp(sourcePort: 1000, destinationPort: 2000, payload: [1, 2, 3])

/// An outer frame with that many bytes of IPv4 options; 20 + `options` bytes from 14 on are its
/// IPv4 header.
private func outer(options: Int = 0, inner: [UInt8] = inner) -> [UInt8] {
  var builder = FrameBuilder()
  builder.options = [UInt8](repeating: 1, count: options)
  return builder.vxlan(network: 7, inner: inner)
}

/// The frame with these lengths in its headers and a right checksum over what was `options` bytes
/// of them; nothing is added or cut.
private func relabelled(
  _ frame: [UInt8], totalLength: Int, udpLength: Int?, options: Int = 0
) -> [UInt8] {
  var frame = frame
  let end = 34 + options
  frame.replaceSubrange(16..<18, with: octets(UInt16(totalLength)))
  frame.replaceSubrange(24..<26, with: [0, 0])
  frame.replaceSubrange(24..<26, with: octets(internetChecksum(Array(frame[14..<end]))))
  if let udpLength, frame.count >= end + 6 {
    frame.replaceSubrange((end + 4)..<(end + 6), with: octets(UInt16(udpLength)))
  }
  return frame
}

/// What the inner frame is, or nil; the test fails if it is not within the frame.
private func opened(_ frame: [UInt8], _ comment: @autoclosure () -> String) -> Range<Int>? {
  guard case .opened(let opened) = openVXLAN(frame.span) else { return nil }
  let end = opened.innerOffset + opened.innerLength
  if !(50...90 ~= opened.innerOffset) || opened.innerLength < 14 || end > frame.count {
    Issue.record("\(opened) in \(frame.count) bytes, \(comment())")
  }
  return opened.innerOffset..<max(end, opened.innerOffset)
}

private let everyOptionLength = Array(stride(from: 0, through: 40, by: 4))

@Suite struct VXLANHostileInputTests {
  @Test(arguments: everyOptionLength)
  func cutFramesAreTruncatedWhateverTheirOptions(options: Int) {
    let frame = outer(options: options)
    for length in 0..<frame.count {
      let opening = openVXLAN(Array(frame.prefix(length)).span)
      #expect(opening == .rejected(.truncated), "length \(length)")
    }
  }

  /// The sender cut the frame and says so: only what is missing in the end counts.
  @Test(arguments: everyOptionLength)
  func cutFramesWithFittingLengthsAreJudgedByWhatIsLeft(options: Int) {
    let whole = outer(options: options)
    let start = 50 + options
    for length in (34 + options)..<whole.count {
      let frame = relabelled(
        Array(whole.prefix(length)), totalLength: length - 14,
        udpLength: max(0, length - 34 - options), options: options)
      let expected: VXLANOpening? =
        switch length - start {
        case ..<(-8): .rejected(.truncated)
        case ..<0: .rejected(.noVXLANFlag)
        case ..<14: .rejected(.innerTooShort)
        default: nil
        }
      if let expected {
        #expect(openVXLAN(frame.span) == expected, "length \(length)")
      } else {
        #expect(opened(frame, "length \(length)") == start..<length)
      }
    }
  }

  /// The packet was cut and its IPv4 length is right, but UDP still claims the rest.
  @Test func datagramLongerThanItsPacketIsRefused() {
    let whole = outer()
    for length in 42..<whole.count {
      let cut = Array(whole.prefix(length))
      let frame = relabelled(cut, totalLength: length - 14, udpLength: nil)
      #expect(openVXLAN(frame.span) == .rejected(.badUDPLength), "length \(length)")
      // The bytes may even be there, as padding behind the packet.
      let withRest = relabelled(whole, totalLength: length - 14, udpLength: nil)
      #expect(openVXLAN(withRest.span) == .rejected(.badUDPLength), "length \(length)")
    }
  }

  /// Both lengths, from 0 to more than there is, against the text of RFC 791 and RFC 768.
  @Test func everyPairOfLengthsIsJudgedByTheSmallest() {
    let whole = outer(inner: Array(inner.prefix(20)))
    for total in 0...(whole.count + 6) {
      for udp in 0...(whole.count - 30) {
        let frame = relabelled(whole, totalLength: total, udpLength: udp)
        let expected: VXLANOpening? =
          if total < 28 || total > whole.count - 14 {
            .rejected(.truncated)
          } else if udp < 8 || udp > total - 20 {
            .rejected(.badUDPLength)
          } else if udp < 16 {
            .rejected(.noVXLANFlag)
          } else if udp < 30 {
            .rejected(.innerTooShort)
          } else {
            nil
          }
        if let expected {
          if openVXLAN(frame.span) != expected {
            Issue.record("total length \(total), UDP length \(udp): \(openVXLAN(frame.span))")
          }
        } else if opened(frame, "\(total), \(udp)") != 50..<(34 + udp) {
          Issue.record("total length \(total), UDP length \(udp): \(openVXLAN(frame.span))")
        }
      }
    }
  }

  @Test(arguments: [0, 4, 40])
  func everySingleByteMutationStaysWithinTheFrame(options: Int) {
    let whole = outer(options: options)
    var accepted = 0
    for index in whole.indices {
      for byte in UInt8.min...UInt8.max {
        var frame = whole
        frame[index] = byte
        let total = Int(frame[16]) << 8 | Int(frame[17])
        let repaired = relabelled(frame, totalLength: total, udpLength: nil, options: options)
        if opened(frame, "byte \(index) is \(byte)") != nil { accepted += 1 }
        if opened(repaired, "byte \(index) is \(byte), checksum right") != nil { accepted += 1 }
      }
    }
    #expect(accepted > 2 * 256 * (12 + inner.count))
  }

  /// RFC 7348 section 5: a decapsulator may ignore a checksum that is not zero.
  @Test(arguments: [0, 1, 0x1234, 0x8000, 0xFFFF] as [UInt16])
  func outerChecksumMayBeAnything(checksum: UInt16) {
    let plain = outer()
    var frame = plain
    frame.replaceSubrange(40..<42, with: octets(checksum))
    #expect(openVXLAN(frame.span) == openVXLAN(plain.span))
    #expect(opened(frame, "checksum \(checksum)") == 50..<frame.count)
  }

  @Test(arguments: everyOptionLength)
  func paddingAfterTheDatagramIsCut(options: Int) {
    for length in [14, 15, inner.count] {
      let frame = outer(options: options, inner: Array(inner.prefix(length)))
      for padding in 0...46 {
        let long = frame + [UInt8](repeating: 0xEE, count: padding)
        #expect(openVXLAN(long.span) == openVXLAN(frame.span), "\(padding) bytes of padding")
        #expect(opened(long, "padding") == (50 + options)..<frame.count)
      }
    }
  }

  /// RFC 7348 section 5: the reserved bits must be ignored on receipt.
  @Test func reservedBitsAreIgnored() {
    let plain = outer()
    for index in [42, 43, 44, 45, 49] {
      // Bit 3 of the first byte is the I flag.
      for bit in UInt8(0)..<8 where index != 42 || bit != 3 {
        var frame = plain
        frame[index] ^= 1 << bit
        #expect(openVXLAN(frame.span) == openVXLAN(plain.span), "byte \(index), bit \(bit)")
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func randomLengthsAndOptionsStayWithinTheFrame(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var accepted = 0
    for _ in 0..<5000 {
      let options = 4 * generator.number(below: 11)
      var frame = outer(
        options: options, inner: generator.bytes(14 + generator.number(below: 60)))
      frame[14] = 0x40 | UInt8(generator.number(below: 16))
      frame.removeLast(generator.number(below: 20))
      guard frame.count >= 34 + options else { continue }
      let relabelled = relabelled(
        frame, totalLength: frame.count - 14 - generator.number(below: 8),
        udpLength: generator.number(below: frame.count), options: options)
      if opened(relabelled, "\(generator)") != nil { accepted += 1 }
    }
    #expect(accepted > 0, "\(generator)")
  }
}

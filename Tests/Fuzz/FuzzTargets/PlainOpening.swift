// SPDX-License-Identifier: Apache-2.0

import Inet
import Wire

/// What is in an outer frame, found step by step as RFC 791, RFC 768 and RFC 7348 tell it.
enum PlainOpening: Equatable {
  case rejected(VXLANRejection)
  case opened(source: UInt64, destination: UInt64, port: UInt64, network: UInt64, inner: Range<Int>)

  init(_ opening: VXLANOpening) {
    switch opening {
    case .opened(let opened): self.init(opened, offset: opened.innerOffset)
    case .rejected(let rejection): self = .rejected(rejection)
    }
  }

  init(_ opened: VXLANOpened, offset: Int) {
    self = .opened(
      source: UInt64(opened.source.bits), destination: UInt64(opened.destination.bits),
      port: UInt64(opened.destinationPort), network: UInt64(opened.network.bits),
      inner: offset..<offset + opened.innerLength)
  }

  init(frame: [UInt8]) {
    self = PlainOpening.open(frame)
  }

  private static func open(_ frame: [UInt8]) -> PlainOpening {
    guard frame.count >= 14 else { return .rejected(.truncated) }
    guard frame[12] == 8, frame[13] == 0 else { return .rejected(.notIPv4) }
    guard frame.count >= 34 else { return .rejected(.truncated) }
    let words = Int(frame[14]) % 16
    guard frame[14] / 16 == 4, words >= 5 else { return .rejected(.notIPv4) }
    let packetLength = Int(plain(frame, 16, 2))
    guard packetLength >= 4 * words, 14 + packetLength <= frame.count else {
      return .rejected(.truncated)
    }
    var sum = 0
    for word in 0..<2 * words { sum += Int(plain(frame, 14 + 2 * word, 2)) }
    guard sum % 0xFFFF == 0 else { return .rejected(.badHeaderChecksum) }
    let fragment = plain(frame, 20, 2)
    // More fragments, or an offset; the reserved bit and don't-fragment say nothing.
    guard fragment % 0x4000 == 0 else { return .rejected(.fragment) }
    guard frame[23] == 17 else { return .rejected(.notUDP) }
    let udp = 14 + 4 * words
    let room = packetLength - 4 * words
    guard room >= 8 else { return .rejected(.truncated) }
    let datagramLength = Int(plain(frame, udp + 4, 2))
    guard datagramLength >= 8, datagramLength <= room else { return .rejected(.badUDPLength) }
    let payloadLength = datagramLength - 8
    guard payloadLength >= 8, frame[udp + 8] / 8 % 2 == 1 else { return .rejected(.noVXLANFlag) }
    guard payloadLength >= 8 + 14 else { return .rejected(.innerTooShort) }
    return .opened(
      source: plain(frame, 26, 4), destination: plain(frame, 30, 4),
      port: plain(frame, udp + 2, 2), network: plain(frame, udp + 12, 3),
      inner: udp + 16..<udp + 8 + payloadLength)
  }
}

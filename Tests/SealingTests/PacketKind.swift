// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Sealing

/// A suite with a layout that it is used in.
enum PacketKind: CaseIterable, Sendable {
  case secretbox, aesSleeve, chachaSleeve, aesESP, chachaESP

  var suite: CipherSuite {
    switch self {
    case .secretbox: .secretbox
    case .aesSleeve, .aesESP: .aes256gcm
    case .chachaSleeve, .chachaESP: .chacha20poly1305
    }
  }

  var layout: FrameKey.Layout {
    switch self {
    case .secretbox, .aesSleeve, .chachaSleeve: .sleeve
    case .aesESP, .chachaESP: .esp
    }
  }

  static let sleeve = allCases.filter { $0.layout == .sleeve }
  static let esp = allCases.filter { $0.layout == .esp }

  /// Bytes before the text and, with ESP, behind it.
  var overhead: Int { layout == .esp ? 32 : 30 }

  /// The first number that is not given out.
  var numberLimit: UInt64 {
    switch self {
    case .aesSleeve, .chachaSleeve: (1 << 56) - (1 << 32)
    case .secretbox, .aesESP, .chachaESP: (1 << 62) - (1 << 14)
    }
  }

  /// The number that the first packet has.
  var firstNumber: UInt64 { layout == .esp ? 1 : 0 }

  /// A packet to be sealed: of peer 02:00:00:00:00:0a, if it is of sleeve.
  func packet(_ text: some Collection<UInt8>) -> [UInt8] {
    let filler = [UInt8](repeating: 0xEE, count: 24)
    guard layout == .esp else { return name + filler + text }
    return Array(filler[..<16]) + text + filler[..<16]
  }

  /// The text of a packet, sealed or not.
  func text(of packet: [UInt8]) -> [UInt8] {
    layout == .esp ? Array(packet[16..<packet.count - 16]) : Array(packet[30...])
  }

  /// One end's key; both ends of a direction say the same but `isSealing`.
  func key(
    isSealing: Bool, identifier: UInt32 = 5, session: SessionKey, nonce: UInt8 = 0x40
  ) -> FrameKey {
    guard suite != .secretbox else {
      return FrameKey(secretbox: session, isSenderOutbound: true, isSealing: isSealing)
    }
    return FrameKey(
      suite, layout: layout, isSealing: isSealing, identifier: identifier, from: session,
      nonce: Array(nonce..<nonce + 32), info: [0, 0] + name)
  }
}

/// The peer that sends in these tests.
let name = bytes("02000000000a")

/// Set in the number of a datagram that must not be fragmented.
let unfragmentable: UInt64 = 1 << 63

/// The key 00 01 … 1f.
func sessionKey(_ bytes: [UInt8] = Array(0..<32)) throws -> SessionKey {
  try #require(SessionKey(bytes: bytes))
}

/// The sequence number of a datagram of sleeve as it was sent.
func number(of datagram: [UInt8]) -> UInt64 { bigEndian(datagram[6..<14]) }

/// The lower half of a number of ESP.
func lowHalf(of packet: [UInt8]) -> UInt32 { UInt32(bigEndian(packet[4..<8])) }

/// Bytes as a number.
func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

/// A number as bytes, as many as there is room for.
func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Wire

/// An ICMP message as a router sends it, and ways to get it wrong.
struct RouterMessage {
  /// What the message is about.
  var destination = SocketAddress(IPv4Address(bits: 0x0A4D_0102), port: 6784)
  var source = SocketAddress(IPv4Address(bits: 0x0A4D_0001), port: 50_000)
  /// The address that the message itself is for.
  var receiver = IPv4Address(bits: 0x0A4D_0001)
  var pathMTU: UInt16 = 1300
  var totalLength: UInt16 = 1500
  var udpLength: UInt16?
  var flags: UInt16 = 0x4000
  var quotedProtocol: UInt8 = 17
  var quotedVersion: UInt8 = 4
  var outerProtocol: UInt8 = 1
  var outerFlags: UInt16 = 0
  var type: UInt8 = 3
  var code: UInt8 = 4
  var optionWords: UInt8 = 0
  /// Bytes of the datagram's payload that are quoted.
  var quotedPayload = 0
  var spoilsChecksum = false

  /// The whole packet, as a raw socket gets it.
  var packet: [UInt8] {
    var message = [type, code, 0, 0, 0, 0] + octets(pathMTU) + quote
    let sum = ~InternetChecksum.fold(InternetChecksum.sum(message.span))
    message.replaceSubrange(2..<4, with: octets(spoilsChecksum ? sum ^ 1 : sum))
    return header(
      version: 4, words: 5, length: UInt16(20 + message.count), flags: outerFlags,
      protocolNumber: outerProtocol, source: IPv4Address(bits: 0x0A4D_0002), destination: receiver)
      + message
  }

  /// What the message quotes.
  var quote: [UInt8] {
    let words = 5 + optionWords
    return header(
      version: quotedVersion, words: words, length: totalLength, flags: flags,
      protocolNumber: quotedProtocol, source: source.address, destination: destination.address)
      + octets(source.port) + octets(destination.port)
      + octets(udpLength ?? totalLength &- UInt16(words) * 4) + [0x12, 0x34]
      + [UInt8](repeating: 0xAA, count: quotedPayload)
  }

  private func header(
    version: UInt8, words: UInt8, length: UInt16, flags: UInt16, protocolNumber: UInt8,
    source: IPv4Address, destination: IPv4Address
  ) -> [UInt8] {
    [version << 4 | words, 0] + octets(length) + [0, 1] + octets(flags) + [
      64, protocolNumber, 0, 0,
    ]
      + octets(source.bits) + octets(destination.bits)
      + [UInt8](repeating: 1, count: max(0, Int(words) - 5) * 4)
  }
}

/// A number, big-endian.
func octets<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  stride(from: Number.bitWidth - 8, through: 0, by: -8).map {
    UInt8(truncatingIfNeeded: number >> Number($0))
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Wire

/// Who sent a packet of ESP and by which key, in one word.
struct SecuritySource: BitwiseCopyable {
  let bits: UInt64

  /// Takes the word apart.
  init(bits: UInt64) { self.bits = bits }

  /// Keeps address and SPI.
  init(_ packet: ESPOpened) {
    bits = UInt64(packet.source.bits) << 32 | UInt64(packet.identifier)
  }

  /// The outer source address.
  var address: IPv4Address { IPv4Address(bits: UInt32(truncatingIfNeeded: bits >> 32)) }

  /// The SPI.
  var identifier: UInt32 { UInt32(truncatingIfNeeded: bits) }
}

extension OpenStage {
  /// Goes on with a packet of ESP that has nothing wrong and no options, in however many pieces;
  /// false if it may be anything else.
  @inline(__always)
  static func enterPlainSecurity(
    _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory
  ) -> Bool {
    let frame = batch.frames[row]
    guard frame.length >= UInt32(LeadingWords.length),
      let opened = ESPOpened(memory.leadingWords(of: frame), frameLength: Int(frame.length))
    else { return false }
    enter(opened, &batch, row)
    return true
  }

  /// Goes on with what is whole, but no UDP: with a packet of ESP, or not at all.
  static func enterSecurity(
    _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory
  ) {
    switch openESP(memory.bytes(of: batch.frames[row])) {
    case .opened(let opened): enter(opened, &batch, row)
    case .tooShort: batch.verdicts[row] = .drop(.outerMalformed)
    case .other: batch.verdicts[row] = .drop(.outerNotUDP)
    }
  }

  /// The frame is the packet from its SPI on from here on; who sent it to whom is kept in place of
  /// keys.
  private static func enter(_ opened: ESPOpened, _ batch: inout Batch, _ row: Int) {
    guard hasPieces(batch.frames[row], from: opened.offset, length: opened.length) else {
      batch.verdicts[row] = .drop(.outerMalformed)
      return
    }
    batch.frames[row].address &+= UInt32(truncatingIfNeeded: opened.offset)
    batch.frames[row].length = UInt32(truncatingIfNeeded: opened.length)
    batch.sourceKeys[row] = SecuritySource(opened).bits
    batch.destinationKeys[row] = UInt64(opened.destination.bits)
    batch.verdicts[row] = .decrypt
    batch.sealedCount &+= 1
  }
}

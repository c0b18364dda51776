// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Wire

/// Who sent an outer packet, in one word.
struct OuterSource: BitwiseCopyable {
  let bits: UInt64

  /// Takes the word apart.
  init(bits: UInt64) { self.bits = bits }

  /// Keeps address and port.
  init(_ source: SocketAddress) {
    bits = UInt64(source.address.bits) << 16 | UInt64(source.port)
  }

  /// Address and port.
  var address: SocketAddress {
    SocketAddress(
      IPv4Address(bits: UInt32(truncatingIfNeeded: bits >> 16)),
      port: UInt16(truncatingIfNeeded: bits))
  }
}

extension OpenStage {
  /// Goes on with a datagram of sleeve, if that is what came: the frame is its payload from here
  /// on, and whoever sent it is kept in place of a key.
  static func enterSleeve(
    _ batch: inout Batch, _ row: Int, _ memory: borrowing FrameMemory, _ ports: OverlayPorts
  ) -> Bool {
    let frame = batch.frames[row]
    guard ports.sleeve != 0, let opened = datagram(frame, in: memory),
      opened.destinationPort == ports.sleeve
    else { return false }
    guard hasPieces(frame, from: opened.payloadOffset, length: opened.payloadLength) else {
      batch.verdicts[row] = .drop(.outerMalformed)
      return true
    }
    batch.frames[row].address &+= UInt32(truncatingIfNeeded: opened.payloadOffset)
    batch.frames[row].length = UInt32(truncatingIfNeeded: opened.payloadLength)
    batch.sourceKeys[row] = OuterSource(opened.source).bits
    batch.verdicts[row] = .unpack
    batch.sealedCount &+= 1
    return true
  }

  /// A whole UDP datagram; of a chain the headers have no options.
  @inline(__always)
  private static func datagram(_ frame: Frame, in memory: borrowing FrameMemory) -> UDPOpened? {
    if frame.length >= UInt32(LeadingWords.length),
      let opened = UDPOpened(memory.leadingWords(of: frame), frameLength: Int(frame.length))
    {
      return opened
    }
    return frame.isChained ? nil : UDPOpened(memory.bytes(of: frame))
  }
}

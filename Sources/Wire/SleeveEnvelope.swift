// SPDX-License-Identifier: Apache-2.0

/// The outer headers of sleeve's datagrams: Ethernet, IPv4 without options and UDP.
///
/// They are the first 42 of the 50 bytes that a `VXLANTemplate` has.
public enum SleeveEnvelope {
  /// Bytes before the UDP payload.
  public static let length = 42
  /// Bytes of the longest UDP payload: what one IPv4 packet can hold.
  public static let payloadLengthMax = 65_507
}

extension VXLANTemplate {
  /// The UDP port where the peer expects what is sent to it.
  public var destinationPort: UInt16 {
    UInt16(truncatingIfNeeded: word4 >> 32).byteSwapped
  }

  /// Writes the 42 bytes before the UDP payload of a datagram of sleeve.
  ///
  /// The UDP checksum stays 0, as Weave Net leaves it.
  ///
  /// - Parameters:
  ///   - header: Exactly the 42 bytes.
  ///   - payloadLength: Bytes of the UDP payload, at most `SleeveEnvelope.payloadLengthMax`.
  ///   - sourcePort: Our UDP port.
  ///   - identification: By which a receiver tells the fragments of this datagram from others'; nil
  ///     if it may not be fragmented.
  @_lifetime(header: copy header)
  public func writeSleeve(
    into header: inout MutableSpan<UInt8>, payloadLength: Int, sourcePort: UInt16,
    identification: UInt16? = nil
  ) {
    precondition(
      header.count == SleeveEnvelope.length
        && 0...SleeveEnvelope.payloadLengthMax ~= payloadLength,
      "outer headers are 42 bytes before at most 65,507")
    let totalLength = UInt16(truncatingIfNeeded: payloadLength &+ 28)
    var sum = UInt32(partialSum) &+ UInt32(totalLength)
    header.storeAsIs(word0, at: 0)
    header.storeAsIs(word1, at: 8)
    header.storeAsIs(word2, at: 16)
    header.storeAsIs(word3, at: 24)
    header.storeAsIs(word4, at: 32)
    header.store(totalLength, at: EnvelopeLayout.ipv4 &+ IPv4Layout.totalLength)
    if let identification {
      header.store(identification, at: EnvelopeLayout.ipv4 &+ IPv4Layout.identification)
      header.store(UInt16(0), at: EnvelopeLayout.ipv4 &+ IPv4Layout.flagsAndOffset)
      // In one's complement, adding the inverse takes a word out of a sum.
      sum &+= UInt32(identification) &+ UInt32(~IPv4Layout.dontFragment)
    }
    sum = (sum & 0xFFFF) &+ (sum >> 16)
    let checksum = ~(UInt16(truncatingIfNeeded: sum) &+ UInt16(truncatingIfNeeded: sum >> 16))
    header.store(checksum, at: EnvelopeLayout.ipv4 &+ IPv4Layout.headerChecksum)
    header.store(sourcePort, at: EnvelopeLayout.udp &+ UDPLayout.sourcePort)
    header.store(
      UInt16(truncatingIfNeeded: payloadLength &+ 8), at: EnvelopeLayout.udp &+ UDPLayout.length)
    header.store(UInt16(0), at: EnvelopeLayout.udp &+ UDPLayout.checksum)
  }
}

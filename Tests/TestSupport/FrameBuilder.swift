// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Builds whole frames from one station to another.
///
/// Everything is appended byte by byte and summed by plain loops; nothing of the product's code for
/// bytes is used. Frames are not padded to Ethernet's minimum; `padded` does that.
public struct FrameBuilder: Sendable {
  /// The sending station.
  public var sourceMAC: MACAddress
  /// The receiving station.
  public var destinationMAC: MACAddress
  /// The sender's address.
  public var source: IPv4Address
  /// The receiver's address.
  public var destination: IPv4Address
  /// Goes into every IPv4 header.
  public var identification: UInt16 = 0
  /// Goes into every IPv4 header.
  public var timeToLive: UInt8 = 64
  /// Goes into every IPv4 header that is not a fragment's.
  public var dontFragment = false
  /// Goes into every IPv4 header; a multiple of four bytes, at most 40.
  public var options: [UInt8] = []

  /// Takes both ends; without arguments, from 10.32.0.1 to 10.32.0.2.
  public init(
    sourceMAC: MACAddress = MACAddress(bits: 0x02_00_00_00_00_0A),
    destinationMAC: MACAddress = MACAddress(bits: 0x02_00_00_00_00_0B),
    source: IPv4Address = IPv4Address(bits: 0x0A20_0001),
    destination: IPv4Address = IPv4Address(bits: 0x0A20_0002)
  ) {
    self.sourceMAC = sourceMAC
    self.destinationMAC = destinationMAC
    self.source = source
    self.destination = destination
  }

  /// A frame with any type and payload.
  public func ethernet(type: UInt16, payload: [UInt8]) -> [UInt8] {
    octets(destinationMAC.bits, 6) + octets(sourceMAC.bits, 6) + octets(type) + payload
  }

  /// A broadcast frame that asks who has `destination`.
  public func arpRequest() -> [UInt8] {
    var broadcast = self
    broadcast.destinationMAC = MACAddress(bits: 0xFFFF_FFFF_FFFF)
    let packet: [UInt8] =
      [0, 1, 8, 0, 6, 4, 0, 1] + octets(sourceMAC.bits, 6) + octets(source.bits)
      + [0, 0, 0, 0, 0, 0] + octets(destination.bits)
    return broadcast.ethernet(type: 0x0806, payload: packet)
  }

  /// A frame with an IPv4 packet.
  public func ipv4(protocolNumber: UInt8, payload: [UInt8]) -> [UInt8] {
    let flags: UInt16 = dontFragment ? 0x4000 : 0
    return ethernet(type: 0x0800, payload: packet(protocolNumber, flags, payload))
  }

  /// A frame with a UDP datagram and its checksum.
  public func udp(sourcePort: UInt16, destinationPort: UInt16, payload: [UInt8] = []) -> [UInt8] {
    ipv4(protocolNumber: 17, payload: datagram(sourcePort, destinationPort, payload))
  }

  /// A frame with a TCP segment and its checksum; flags as on the wire, 0x02 for SYN.
  public func tcp(
    sourcePort: UInt16, destinationPort: UInt16, flags: UInt8 = 0x02, payload: [UInt8] = []
  ) -> [UInt8] {
    var segment = octets(sourcePort) + octets(destinationPort)
    segment += [0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0] + payload
    segment.replaceSubrange(16..<18, with: octets(transportChecksum(6, segment)))
    return ipv4(protocolNumber: 6, payload: segment)
  }

  /// A frame with an ICMP echo request and its checksum.
  public func echoRequest(sequence: UInt16 = 1, payload: [UInt8] = []) -> [UInt8] {
    var message: [UInt8] = [8, 0, 0, 0, 0, 1] + octets(sequence) + payload
    message.replaceSubrange(2..<4, with: octets(internetChecksum(message)))
    return ipv4(protocolNumber: 1, payload: message)
  }

  /// The frames of one UDP datagram cut into fragments of at most `size` bytes of payload each.
  ///
  /// `size` is a multiple of 8.
  public func fragments(
    size: Int, sourcePort: UInt16, destinationPort: UInt16, payload: [UInt8]
  ) -> [[UInt8]] {
    let whole = datagram(sourcePort, destinationPort, payload)
    return stride(from: 0, to: whole.count, by: size).map { start in
      let end = min(start + size, whole.count)
      let more: UInt16 = end < whole.count ? 0x2000 : 0
      let part = packet(17, more | UInt16(start / 8), Array(whole[start..<end]))
      return ethernet(type: 0x0800, payload: part)
    }
  }

  /// A frame with an IPv6 packet between the addresses ::`source` and ::`destination`.
  public func ipv6(nextHeader: UInt8, payload: [UInt8]) -> [UInt8] {
    var packet: [UInt8] = [0x60, 0, 0, 0] + octets(UInt16(payload.count)) + [nextHeader, 64]
    packet += [UInt8](repeating: 0, count: 12) + octets(source.bits)
    packet += [UInt8](repeating: 0, count: 12) + octets(destination.bits)
    return ethernet(type: 0x86DD, payload: packet + payload)
  }

  /// An outer frame around `inner`, with don't-fragment and without UDP checksum (RFC 7348).
  public func vxlan(
    network: UInt32, inner: [UInt8], destinationPort: UInt16 = 4789, sourcePort: UInt16 = 49_152
  ) -> [UInt8] {
    let header: [UInt8] = [0x08, 0, 0, 0] + Array(octets(network << 8))
    var outer = self
    outer.dontFragment = true
    let length = octets(UInt16(8 + 8 + inner.count))
    let udp = octets(sourcePort) + octets(destinationPort) + length + [0, 0]
    return outer.ipv4(protocolNumber: 17, payload: udp + header + inner)
  }

  private func packet(_ number: UInt8, _ flags: UInt16, _ payload: [UInt8]) -> [UInt8] {
    precondition(options.count % 4 == 0 && options.count <= 40)
    let length = 20 + options.count
    var header: [UInt8] = [0x40 | UInt8(length / 4), 0] + octets(UInt16(length + payload.count))
    header += octets(identification) + octets(flags) + [timeToLive, number, 0, 0]
    header += octets(source.bits) + octets(destination.bits) + options
    header.replaceSubrange(10..<12, with: octets(internetChecksum(header)))
    return header + payload
  }

  private func datagram(_ from: UInt16, _ to: UInt16, _ payload: [UInt8]) -> [UInt8] {
    var bytes = octets(from) + octets(to) + octets(UInt16(8 + payload.count)) + [0, 0] + payload
    let checksum = transportChecksum(17, bytes)
    bytes.replaceSubrange(6..<8, with: octets(checksum == 0 ? 0xFFFF : checksum))
    return bytes
  }

  /// The checksum with the pseudo header of RFC 768 and RFC 9293.
  private func transportChecksum(_ number: UInt8, _ bytes: [UInt8]) -> UInt16 {
    let pseudo = octets(source.bits) + octets(destination.bits) + [0, number]
    return internetChecksum(pseudo + octets(UInt16(bytes.count)) + bytes)
  }
}

/// The frame with zeros appended until it has Ethernet's 60 bytes.
public func padded(_ frame: [UInt8]) -> [UInt8] {
  frame + [UInt8](repeating: 0, count: max(0, 60 - frame.count))
}

/// The checksum of RFC 1071 as its text defines it: one word after the other, carry by carry.
public func internetChecksum(_ bytes: [UInt8]) -> UInt16 {
  var sum = 0
  for (index, byte) in bytes.enumerated() {
    sum += index % 2 == 0 ? Int(byte) * 256 : Int(byte)
    if sum > 0xFFFF { sum -= 0xFFFF }
  }
  return UInt16(0xFFFF - sum)
}

/// The low `count` bytes of a number, most significant first.
public func octets(_ number: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (count - 1 - $0))) }
}

/// Two bytes, most significant first.
public func octets(_ number: UInt16) -> [UInt8] { octets(UInt64(number), 2) }

/// Four bytes, most significant first.
public func octets(_ number: UInt32) -> [UInt8] { octets(UInt64(number), 4) }

/// Bytes from hexadecimal digits; spaces and line ends between them are skipped, other characters
/// are a mistake in the test.
public func hexadecimal(_ text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }.map { $0.hexDigitValue }
  precondition(digits.count % 2 == 0, "hexadecimal text needs two digits a byte")
  return stride(from: 0, to: digits.count, by: 2).map { index in
    guard let high = digits[index], let low = digits[index + 1] else {
      preconditionFailure("not a hexadecimal digit in '\(text)'")
    }
    return UInt8(high * 16 + low)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import Wire

/// What a frame is, in a few words, from as many of its first bytes as were recorded.
///
/// The bytes are anybody's. What is not there is left out, whatever the headers claim.
enum TraceSummary {
  /// `IPv4 10.32.0.1 > 10.32.0.2 UDP 1000 > 53`, or nil if there is no Ethernet header.
  ///
  /// `bytes` is the beginning of a frame of `length` bytes.
  static func text(_ bytes: [UInt8], length: Int) -> String? {
    let known = min(bytes.count, length)
    guard known >= EthernetHeader.length else { return nil }
    // The views check lengths against what is there, so the frame gets its length back. What was
    // not recorded is zeros, and `known` keeps them from being read.
    let frame = Frame(
      bytes: bytes.prefix(known) + [UInt8](repeating: 0, count: min(length, 65_535) - known),
      known: known)
    return frame.network(at: typeOffset)
  }

  /// Of the EtherType in a frame.
  private static let typeOffset = 12
}

/// A frame of which only the first `known` bytes mean something.
private struct Frame {
  let bytes: [UInt8]
  let known: Int

  /// Names what follows the EtherType at `offset`, after at most two VLAN tags.
  func network(at offset: Int, tags: Int = 0) -> String {
    guard offset + 2 <= known else { return "cut off" }
    let type = EtherType(rawValue: bytes.span.loadUInt16(at: offset))
    let start = offset + 2
    switch type {
    case .ipv4: return "IPv4" + ipv4(at: start)
    case .ipv6: return "IPv6" + ipv6(at: start)
    case .arp: return "ARP" + arp(at: start)
    case .vlan where tags < 2:
      guard start + 2 <= known else { return "VLAN" }
      let tag = bytes.span.loadUInt16(at: start) & 0xFFF
      return "VLAN \(tag) " + network(at: start + 2, tags: tags + 1)
    default: return Frame.name(of: type)
    }
  }

  private static func name(of type: EtherType) -> String {
    switch type.rawValue {
    case 0..<0x0600: "IEEE 802.3"
    case 0x88CC: "LLDP"
    case 0x888E: "EAPOL"
    default: "EtherType \(type)"
    }
  }

  private func arp(at start: Int) -> String {
    guard start + ARPHeader.length <= known,
      let header = ARPHeader(bytes.span.extracting(droppingFirst: start))
    else { return "" }
    let (sender, target) = (header.senderAddress, header.targetAddress)
    switch header.operation {
    case .request where sender == target: return " \(sender) announces itself"
    case .request: return " who has \(target)? asks \(sender)"
    case .reply: return " \(sender) is at \(header.senderMAC)"
    default: return " operation \(header.operation.rawValue)"
    }
  }

  private func ipv4(at start: Int) -> String {
    guard start + IPv4Header.minimumLength <= known,
      let header = IPv4Header(bytes.span.extracting(droppingFirst: start))
    else { return ", damaged or cut off" }
    let addresses = " \(header.source) > \(header.destination) "
    let number = header.protocolNumber
    guard header.fragmentOffset == 0 else {
      return addresses + Frame.protocolName(number) + ", fragment at \(header.fragmentOffset)"
    }
    let end = min(known, start + header.totalLength)
    return addresses + transport(number, at: start + header.headerLength, end: end)
      + (header.moreFragments ? ", first fragment" : "")
  }

  private func ipv6(at start: Int) -> String {
    guard start + 40 <= known, bytes[start] >> 4 == 6 else { return ", damaged or cut off" }
    // Behind it is the padding of a short frame.
    let end = min(known, start + 40 + Int(bytes.span.loadUInt16(at: start + 4)))
    let source = Frame.ipv6Text(bytes[(start + 8)..<(start + 24)])
    let destination = Frame.ipv6Text(bytes[(start + 24)..<(start + 40)])
    return " \(source) > \(destination) " + ipv6Payload(bytes[start + 6], at: start + 40, end: end)
  }

  /// What comes behind the extension headers that all begin alike (RFC 8200, section 4), at most
  /// as many of them as a packet should have.
  private func ipv6Payload(
    _ number: UInt8, at start: Int, end: Int, behind count: Int = 0
  ) -> String {
    let hopByHop: UInt8 = 0
    let routing: UInt8 = 43
    let destinationOptions: UInt8 = 60
    guard [hopByHop, routing, destinationOptions].contains(number), count < 4, start + 2 <= end
    else { return number == 44 ? "fragment" : transport(number, at: start, end: end) }
    let length = (Int(bytes[start + 1]) + 1) * 8
    return ipv6Payload(bytes[start], at: start + length, end: end, behind: count + 1)
  }

  /// The protocol above IP, with ports where it has some and they are there.
  private func transport(_ number: UInt8, at start: Int, end: Int) -> String {
    let name = Frame.protocolName(number)
    guard number == IPProtocol.tcp || number == IPProtocol.udp, start + 4 <= end else {
      return name
    }
    let source = bytes.span.loadUInt16(at: start)
    return "\(name) \(source) > \(bytes.span.loadUInt16(at: start + 2))"
  }

  private static func protocolName(_ number: UInt8) -> String {
    switch number {
    case IPProtocol.icmp: "ICMP"
    case IPProtocol.tcp: "TCP"
    case IPProtocol.udp: "UDP"
    case IPProtocol.esp: "ESP"
    case 58: "ICMPv6"
    default: "protocol \(number)"
    }
  }

  /// The address as RFC 5952 writes it: lower case, the longest run of two or more zeros left out.
  private static func ipv6Text(_ octets: ArraySlice<UInt8>) -> String {
    let words = stride(from: octets.startIndex, to: octets.endIndex, by: 2).map {
      UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1])
    }
    var longest = 0..<0
    var run = 0..<0
    for (index, word) in words.enumerated() {
      run = word == 0 ? (run.isEmpty ? index : run.lowerBound)..<(index + 1) : 0..<0
      if run.count > longest.count { longest = run }
    }
    func text(_ range: Range<Int>) -> String {
      words[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard longest.count > 1 else { return text(0..<words.count) }
    return text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<words.count)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Offsets in the parts of inner packets that only the flow hash reads.
@usableFromInline
enum FlowLayout {
  /// IPv4 source and destination together, eight bytes.
  @usableFromInline static let ipv4Addresses = 12
  /// The next header of IPv6 (RFC 8200, section 3).
  @usableFromInline static let ipv6NextHeader = 6
  @usableFromInline static let ipv6Addresses = 8
  @usableFromInline static let ipv6Length = 40
  /// Both ports of TCP or UDP together.
  @usableFromInline static let portsLength = 4
}

/// Odd numbers without pattern: 64 bits each of the fractions of √2, √3, √5 and √7.
@usableFromInline
enum FlowKey {
  @usableFromInline static let frame: UInt64 = 0x6A09_E667_F3BC_C909
  @usableFromInline static let addresses: UInt64 = 0xBB67_AE85_84CA_A73B
  @usableFromInline static let moreAddresses: UInt64 = 0x3C6E_F372_FE94_F82B
  @usableFromInline static let transport: UInt64 = 0xA54F_F53A_5F1D_36F1
}

/// A number for the flow that an inner frame belongs to; frames of one flow have the same.
///
/// It covers both MAC addresses and the EtherType; of IPv4 and IPv6 also the addresses and the
/// protocol, and both ports if it is an unfragmented TCP or UDP packet. A fragment counts without
/// ports, also the first, which has them: all fragments of a packet take one path. A frame that is
/// not even an Ethernet header is 0.
///
/// It spreads flows over paths and is not meant to resist somebody who wants collisions: those only
/// bring his own flows onto one path. Each 64 bits cost one widening multiplication.
@inlinable
public func flowHash(_ innerFrame: Span<UInt8>) -> UInt32 {
  guard let ethernet = EthernetHeader(innerFrame) else { return 0 }
  var hash = mix(
    innerFrame.loadUInt64(at: 0) ^ FlowKey.frame, innerFrame.loadUInt48(at: 8) ^ FlowKey.addresses)
  let packet = innerFrame.extracting(droppingFirst: EthernetLayout.length)
  switch ethernet.etherType {
  case .ipv4: hash = mixIPv4(packet, hash)
  case .ipv6: hash = mixIPv6(packet, hash)
  default: break
  }
  return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
}

/// The outer UDP source port for a flow: the dynamic range, 49,152 to 65,535 (RFC 6335, section 6),
/// as RFC 7348 section 5 recommends.
@inlinable
@inline(__always)
public func outerSourcePort(_ hash: UInt32) -> UInt16 {
  0xC000 | UInt16(truncatingIfNeeded: hash >> 18)
}

@inlinable
@inline(__always)
func mixIPv4(_ packet: Span<UInt8>, _ hash: UInt64) -> UInt64 {
  guard let header = IPv4Header(packet) else { return hash }
  var transport = UInt64(header.protocolNumber)
  if !header.isFragment && hasPorts(header.protocolNumber) {
    let payload = packet.extracting(first: header.totalLength)
      .extracting(droppingFirst: header.headerLength)
    transport |= ports(payload)
  }
  let addresses = packet.loadUInt64(at: FlowLayout.ipv4Addresses)
  return mix(addresses ^ hash, transport ^ FlowKey.transport)
}

@inlinable
@inline(__always)
func mixIPv6(_ packet: Span<UInt8>, _ hash: UInt64) -> UInt64 {
  guard packet.count >= FlowLayout.ipv6Length, packet[0] >> 4 == 6 else { return hash }
  // A fragment's next header is the fragment header, 44, and not that of its transport.
  let nextHeader = packet[FlowLayout.ipv6NextHeader]
  var transport = UInt64(nextHeader)
  if hasPorts(nextHeader) {
    transport |= ports(packet.extracting(droppingFirst: FlowLayout.ipv6Length))
  }
  let addresses = FlowLayout.ipv6Addresses
  var mixed = mix(
    packet.loadUInt64(at: addresses) ^ hash,
    packet.loadUInt64(at: addresses &+ 8) ^ FlowKey.addresses)
  mixed = mix(
    packet.loadUInt64(at: addresses &+ 16) ^ mixed,
    packet.loadUInt64(at: addresses &+ 24) ^ FlowKey.moreAddresses)
  return mix(mixed, transport ^ FlowKey.transport)
}

@inlinable
@inline(__always)
func hasPorts(_ protocolNumber: UInt8) -> Bool {
  protocolNumber == IPProtocol.tcp || protocolNumber == IPProtocol.udp
}

/// Both ports above the bits of the protocol number, or 0 if they are not there.
@inlinable
@inline(__always)
func ports(_ payload: Span<UInt8>) -> UInt64 {
  guard payload.count >= FlowLayout.portsLength else { return 0 }
  return UInt64(payload.loadUInt32(at: 0)) << 8
}

/// Multiplies to 128 bits and folds the halves, so that each input bit reaches each output bit.
@inlinable
@inline(__always)
func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
  let product = left.multipliedFullWidth(by: right)
  return product.high ^ product.low
}

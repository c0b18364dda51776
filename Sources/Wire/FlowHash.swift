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
/// bring his own flows onto one path. Two multiplications mix all of it.
public func flowHash(_ innerFrame: Span<UInt8>) -> UInt32 {
  guard let ethernet = EthernetHeader(innerFrame) else { return 0 }
  var flow = Flow(
    stations: innerFrame.loadUInt64(at: 0).byteSwapped,
    source: innerFrame.loadUInt32(at: 8).byteSwapped, etherType: ethernet.etherType)
  let packet = innerFrame.extracting(droppingFirst: EthernetLayout.length)
  switch ethernet.etherType {
  case .ipv4: flow.addIPv4(packet)
  case .ipv6: flow.addIPv6(packet)
  default: break
  }
  return flow.hash
}

/// `flowHash` of a frame that begins with `words`, or nil if those do not tell: what is quick to
/// tell is a whole TCP or UDP packet in IPv4 without options (`Wire.flowHash.words` in
/// `Benchmarks/`).
@inlinable
@inline(__always)
public func flowHash(_ words: LeadingWords) -> UInt32? {
  let protocolNumber = words.protocolNumber
  guard words.isPlainIPv4, words.isWhole, hasPorts(protocolNumber) else { return nil }
  return Flow(
    stations: words.stations, source: UInt32(truncatingIfNeeded: words.type), etherType: .ipv4,
    addresses: words.addresses >> 16 | words.ports << 48, protocolNumber: protocolNumber,
    ports: UInt32(truncatingIfNeeded: words.ports >> 16)
  ).hash
}

/// The outer UDP source port for a flow: the dynamic range, 49,152 to 65,535 (RFC 6335, section 6),
/// as RFC 7348 section 5 recommends.
@inlinable
@inline(__always)
public func outerSourcePort(_ hash: UInt32) -> UInt16 {
  0xC000 | UInt16(truncatingIfNeeded: hash >> 18)
}

/// What a flow's hash is made of; addresses and ports have their bytes in the order of memory.
@usableFromInline
struct Flow {
  /// The destination's six bytes and the source's first two.
  @usableFromInline let stations: UInt64
  /// The source's last four bytes.
  @usableFromInline let source: UInt32
  @usableFromInline let etherType: EtherType
  @usableFromInline var addresses: UInt64
  @usableFromInline var protocolNumber: UInt8
  @usableFromInline var ports: UInt32

  @inlinable
  @inline(__always)
  init(
    stations: UInt64, source: UInt32, etherType: EtherType, addresses: UInt64 = 0,
    protocolNumber: UInt8 = 0, ports: UInt32 = 0
  ) {
    self.stations = stations
    self.source = source
    self.etherType = etherType
    self.addresses = addresses
    self.protocolNumber = protocolNumber
    self.ports = ports
  }

  @inlinable var hash: UInt32 {
    @inline(__always) get {
      let kind = UInt64(etherType.rawValue) << 8 | UInt64(protocolNumber)
      // Spread before it meets the others, so that a change here does not undo one there.
      let rest = (UInt64(ports) | UInt64(source) << 32) &* FlowKey.transport
      let mixed = mix(
        stations ^ rest ^ FlowKey.frame, addresses ^ kind << 13 ^ FlowKey.addresses)
      return UInt32(truncatingIfNeeded: mixed ^ mixed >> 32)
    }
  }

  mutating func addIPv4(_ packet: Span<UInt8>) {
    guard let header = IPv4Header(packet) else { return }
    addresses = packet.loadUInt64(at: FlowLayout.ipv4Addresses).byteSwapped
    protocolNumber = header.protocolNumber
    guard !header.isFragment else { return }
    addPorts(
      packet.extracting(first: header.totalLength).extracting(droppingFirst: header.headerLength))
  }

  mutating func addIPv6(_ packet: Span<UInt8>) {
    guard packet.count >= FlowLayout.ipv6Length, packet[0] >> 4 == 6 else { return }
    let first = FlowLayout.ipv6Addresses
    addresses =
      mix(packet.loadUInt64(at: first), packet.loadUInt64(at: first &+ 8) ^ FlowKey.addresses)
      ^ mix(
        packet.loadUInt64(at: first &+ 16) ^ FlowKey.transport,
        packet.loadUInt64(at: first &+ 24) ^ FlowKey.moreAddresses)
    // A fragment's next header is the fragment header, 44, and not that of its transport.
    protocolNumber = packet[FlowLayout.ipv6NextHeader]
    addPorts(packet.extracting(droppingFirst: FlowLayout.ipv6Length))
  }

  /// Takes the ports, if the protocol has any and they are there.
  private mutating func addPorts(_ payload: Span<UInt8>) {
    guard hasPorts(protocolNumber), payload.count >= FlowLayout.portsLength else { return }
    ports = payload.loadUInt32(at: 0).byteSwapped
  }
}

@inlinable
@inline(__always)
func hasPorts(_ protocolNumber: UInt8) -> Bool {
  protocolNumber == IPProtocol.tcp || protocolNumber == IPProtocol.udp
}

/// Multiplies to 128 bits and folds the halves, so that each input bit reaches each output bit.
@inlinable
@inline(__always)
func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
  let product = left.multipliedFullWidth(by: right)
  return product.high ^ product.low
}

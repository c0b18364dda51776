// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import Routing
internal import Wire

/// The addresses and frames of all benchmarks: `sender(n)` sends UDP to `receiver(n)`.
enum FrameBytes {
  /// The network of all endpoints.
  static let network = VirtualNetwork(bits: 7)
  /// Our address on the underlay.
  static let ownAddress = IPv4Address(bits: 0xC000_02FE)
  /// The endpoint's.
  static let endpointAddress = IPv4Address(bits: 0xC000_0201)
  private static let ownMAC = MACAddress(bits: 0x0200_0000_AA00)
  private static let hopMAC = MACAddress(bits: 0x0200_0000_BB00)

  static func sender(_ number: Int) -> MACAddress {
    MACAddress(bits: 0x0200_0100_0000 + UInt64(number))
  }

  static func receiver(_ number: Int) -> MACAddress {
    MACAddress(bits: 0x0200_1000_0000 + UInt64(number))
  }

  /// How the endpoint is reached.
  static let pathToEndpoint = EndpointPath(
    sourceMAC: ownMAC, destinationMAC: hopMAC, source: ownAddress, destination: endpointAddress,
    destinationPort: 4789, network: network, innerLengthMax: 1514)

  /// What the endpoint puts in front of frames to us.
  static let fromEndpoint = VXLANTemplate(
    sourceMAC: hopMAC, destinationMAC: ownMAC, source: endpointAddress, destination: ownAddress,
    destinationPort: 4789, network: network)

  /// A UDP frame of `length` bytes.
  static func udp(from source: MACAddress, to destination: MACAddress, length: Int) -> [UInt8] {
    var bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
    var span = bytes.mutableSpan
    EthernetFields(destination: destination, source: source, etherType: .ipv4).encode(into: &span)
    IPv4Fields(
      source: IPv4Address(bits: 0x0A20_0001), destination: IPv4Address(bits: 0x0A20_0002),
      protocolNumber: IPProtocol.udp, payloadLength: length - 34
    ).encode(into: &span, at: 14)
    UDPFields(sourcePort: 1000, destinationPort: 2000, length: UInt16(length - 34))
      .encode(into: &span, at: 34)
    return bytes
  }

  /// `inner` as it comes from the endpoint.
  static func outer(_ inner: [UInt8]) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: VXLANTemplate.length)
    var span = header.mutableSpan
    fromEndpoint.write(into: &span, innerLength: inner.count, sourcePort: 50_000)
    return header + inner
  }
}

// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Wire

/// A way that frames take through the switch.
enum PipelineWay: String, CaseIterable, Sendable {
  /// From a container to stations behind endpoints.
  case encapsulate
  /// From stations behind endpoints to a container.
  case decapsulate
  /// From one container to stations behind another.
  case local
}

/// Who is where in a pipeline benchmark.
///
/// A few stations are behind the first port. As many as the table shall have entries are behind
/// endpoints, evenly, or behind the second port.
enum PipelineCast {
  /// Stations behind the first port.
  static let nearCount = 16
  /// Endpoints that stations are behind.
  static let endpointCount = 64
  static let network = VirtualNetwork(bits: 7)
  static let vxlanPort: UInt16 = 4789
  static let ownMAC = MACAddress(bits: 0x02_00_00_00_AA_00)
  static let ownAddress = IPv4Address(bits: 0xC612_00FE)

  static func nearMAC(_ number: Int) -> MACAddress {
    MACAddress(bits: 0x02_00_00_01_00_00 + UInt64(number))
  }

  static func farMAC(_ number: Int) -> MACAddress {
    MACAddress(bits: 0x02_00_01_00_00_00 + UInt64(number))
  }

  static func endpointMAC(_ number: Int) -> MACAddress {
    MACAddress(bits: 0x02_00_00_00_BB_00 + UInt64(number))
  }

  /// An address of the range for benchmarks (RFC 2544, 198.18.0.0/15).
  static func endpointAddress(_ number: Int) -> IPv4Address {
    IPv4Address(bits: 0xC612_0100 + UInt32(number))
  }
}

/// Frames of one way, one after the other, with far stations in random order.
struct PipelineTraffic {
  private let way: PipelineWay
  private let farCount: Int
  private var random: SeededRandom
  /// The frame of this moment; it is changed into the next one.
  private(set) var bytes: [UInt8]
  private let envelopes: [VXLANTemplate]
  private let size: Int

  /// Where the inner frame's UDP source port is, from its start.
  private static let sourcePortOffset = 34

  /// Frames of `size` bytes, the inner ones where there are two.
  init(_ way: PipelineWay, size: Int, farCount: Int, seed: UInt64) {
    self.way = way
    self.size = size
    self.farCount = farCount
    random = SeededRandom(seed: seed)
    let offset = way == .decapsulate ? VXLANTemplate.length : 0
    bytes = [UInt8](repeating: 0, count: offset + size)
    envelopes =
      way == .decapsulate ? (0..<PipelineCast.endpointCount).map(PipelineTraffic.envelope) : []
    var span = bytes.mutableSpan
    EthernetFields(
      destination: PipelineCast.nearMAC(0), source: PipelineCast.nearMAC(0), etherType: .ipv4
    ).encode(into: &span, at: offset)
    IPv4Fields(
      source: IPv4Address(bits: 0x0A20_0001), destination: IPv4Address(bits: 0x0A20_0002),
      protocolNumber: IPProtocol.udp, payloadLength: size - 34
    ).encode(into: &span, at: offset + 14)
    UDPFields(sourcePort: 0, destinationPort: 9, length: UInt16(size - 34))
      .encode(into: &span, at: offset + 34)
  }

  /// Turns `bytes` into the next frame.
  mutating func advance() {
    let near = PipelineCast.nearMAC(random.number(below: PipelineCast.nearCount))
    let number = random.number(below: farCount)
    let far = PipelineCast.farMAC(number)
    let flow = UInt16(truncatingIfNeeded: random.next())
    let isInbound = way == .decapsulate
    let length = size
    let offset = isInbound ? VXLANTemplate.length : 0
    let envelope = isInbound ? envelopes[number % PipelineCast.endpointCount] : nil
    var span = bytes.mutableSpan
    span.store(isInbound ? near : far, at: offset)
    span.store(isInbound ? far : near, at: offset + 6)
    span.store(flow, at: offset + PipelineTraffic.sourcePortOffset)
    guard let envelope else { return }
    var header = span._mutatingExtracting(first: VXLANTemplate.length)
    envelope.write(into: &header, innerLength: length, sourcePort: flow | 0xC000)
  }

  private static func envelope(_ endpoint: Int) -> VXLANTemplate {
    VXLANTemplate(
      sourceMAC: PipelineCast.endpointMAC(endpoint), destinationMAC: PipelineCast.ownMAC,
      source: PipelineCast.endpointAddress(endpoint), destination: PipelineCast.ownAddress,
      destinationPort: PipelineCast.vxlanPort, network: PipelineCast.network)
  }
}

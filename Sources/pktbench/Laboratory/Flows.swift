// SPDX-License-Identifier: Apache-2.0

import Inet
import Wire

/// The traffic of a live scenario: one sender, a few receivers, many flows.
///
/// Competitors see the same frames in the same order.
struct Flows: Sendable {
  /// Bytes of a frame between containers, without its frame check sequence.
  let size: Int
  /// Which way they go.
  let way: Way

  /// The sending station.
  static let source = MACAddress(bits: 0x02_00_00_00_00_01)
  /// The receiving stations.
  static let destinations = (0..<16).map { MACAddress(bits: 0x02_00_00_00_01_00 + UInt64($0)) }
  /// Frames that differ.
  static let count = 512

  private static let firstPort = 10_000
  private static let headersLength = 14 + 20 + 8

  /// What the remote host puts in front of its frames.
  private static let envelope = VXLANTemplate(
    sourceMAC: Bench.remoteMAC, destinationMAC: Bench.wireMAC, source: Bench.remoteAddress,
    destination: Bench.hostAddress, destinationPort: 4789, network: Bench.network)

  /// Bytes of what the generator sends for a frame.
  var sentLength: Int { way == .decap ? size + VXLANTemplate.length : size }

  /// Writes what the generator sends for flow `number` into `bytes`, which has `sentLength` bytes.
  func write(_ number: Int, into bytes: inout MutableSpan<UInt8>) {
    guard way == .decap else { return writeInner(number, into: &bytes, at: 0) }
    var header = [UInt8](repeating: 0, count: VXLANTemplate.length)
    var outer = header.mutableSpan
    Flows.envelope.write(into: &outer, innerLength: size, sourcePort: UInt16(50_000 + number))
    for index in header.indices { bytes[index] = header[index] }
    writeInner(number, into: &bytes, at: VXLANTemplate.length)
  }

  /// The flow for which exactly these bytes have to come out at the far end; nil if none.
  func flow(of bytes: [UInt8]) -> Int? {
    guard way == .encap else { return flow(ofInner: bytes) }
    guard case .opened(let opened) = openVXLAN(bytes.span), opened.network == Bench.network,
      opened.source == Bench.hostAddress, let ethernet = EthernetHeader(bytes.span),
      ethernet.source == Bench.wireMAC, ethernet.destination == Bench.remoteMAC,
      let packet = IPv4Header(bytes.span.extracting(14...)),
      packet.destination == Bench.remoteAddress,
      let datagram = UDPHeader(bytes.span.extracting((14 + packet.headerLength)...)),
      datagram.destinationPort == 4789
    else { return nil }
    return flow(
      ofInner: Array(bytes[opened.innerOffset..<(opened.innerOffset + opened.innerLength)]))
  }

  /// The flow whose frame this is; nil if none.
  func flow(ofInner frame: [UInt8]) -> Int? {
    guard frame.count == size else { return nil }
    let number = Int(frame[34]) << 8 + Int(frame[35]) - Flows.firstPort
    guard 0..<Flows.count ~= number else { return nil }
    var expected = [UInt8](repeating: 0, count: size)
    var bytes = expected.mutableSpan
    writeInner(number, into: &bytes, at: 0)
    return frame == expected ? number : nil
  }

  private func writeInner(_ number: Int, into bytes: inout MutableSpan<UInt8>, at start: Int) {
    let receiver = number % Flows.destinations.count
    EthernetFields(
      destination: Flows.destinations[receiver], source: Flows.source, etherType: .ipv4
    ).encode(into: &bytes, at: start)
    IPv4Fields(
      source: IPv4Address(bits: 0x0A20_0001),
      destination: IPv4Address(bits: 0x0A20_0100 + UInt32(receiver)), protocolNumber: 17,
      payloadLength: size - 14 - 20
    ).encode(into: &bytes, at: start + 14)
    UDPFields(
      sourcePort: UInt16(Flows.firstPort + number), destinationPort: 9,
      length: UInt16(size - 14 - 20)
    ).encode(into: &bytes, at: start + 34)
    for index in Flows.headersLength..<size {
      bytes[start + index] = UInt8(truncatingIfNeeded: index)
    }
  }
}

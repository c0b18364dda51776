// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private func hash(_ frame: [UInt8]) -> UInt32 { flowHash(frame.span) }

private let ends = FrameBuilder()

/// How many different outer ports the frames get.
private func distinctPorts(_ frames: [[UInt8]]) -> Int {
  Set(frames.map { outerSourcePort(hash($0)) }).count
}

/// How many of 16,384 ports that many flows use when each is drawn at random.
private func expectedPorts(_ flows: Int) -> Double {
  var unused = 1.0
  for _ in 0..<flows { unused *= 1 - 1 / 16_384 }
  return 16_384 * (1 - unused)
}

@Suite struct FlowHashTests {
  @Test func portsAreInTheDynamicRange() {
    #expect(outerSourcePort(0) == 49_152)
    #expect(outerSourcePort(.max) == 65_535)
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<10_000 {
      let port = outerSourcePort(UInt32(truncatingIfNeeded: generator.next()))
      if port < 49_152 { Issue.record("port \(port)") }
    }
  }

  /// Flows that differ in one field only, and in it by counting up: the hardest case.
  @Test(arguments: ["source port", "destination port", "address", "MAC", "IPv6 port"])
  func tenThousandFlowsUseMostOfTheirPorts(varying: String) {
    let frames = (0..<10_000).map { (number: Int) -> [UInt8] in
      let port = UInt16(number)
      var other = ends
      switch varying {
      case "source port": return ends.udp(sourcePort: port, destinationPort: 53)
      case "destination port": return ends.tcp(sourcePort: 40_000, destinationPort: port)
      case "address":
        other.destination = IPv4Address(bits: 0x0A20_0000 + UInt32(number))
        return other.echoRequest()
      case "MAC":
        other.sourceMAC = MACAddress(bits: 0x0200_0000_0000 + UInt64(number))
        return other.ethernet(type: 0x88CC, payload: [])
      default: return ends.ipv6(nextHeader: 6, payload: octets(port) + [0, 80])
      }
    }
    let distinct = distinctPorts(frames)
    #expect(Double(distinct) > 0.9 * expectedPorts(10_000), "\(distinct) ports")
  }

  @Test func payloadDoesNotMatter() {
    let first = ends.tcp(sourcePort: 1, destinationPort: 2, payload: [1])
    let second = ends.tcp(sourcePort: 1, destinationPort: 2, flags: 0x10, payload: [2, 3, 4])
    #expect(hash(first) == hash(second))
    #expect(hash(ends.echoRequest(sequence: 1)) == hash(ends.echoRequest(sequence: 2)))
    #expect(hash(padded(first)) == hash(first))
  }

  @Test func everyFieldOfAFlowMatters() throws {
    let base = ends.udp(sourcePort: 1, destinationPort: 2)
    var others: [[UInt8]] = []
    for index in Array(0..<6) + Array(6..<12) + Array(26..<38) {
      var frame = base
      frame[index] ^= 1
      others.append(frame)
    }
    others.append(ends.tcp(sourcePort: 1, destinationPort: 2))
    others.append(ends.ethernet(type: 0x0801, payload: Array(base.dropFirst(14))))
    let hashes = Set(([base] + others).map(hash))
    #expect(hashes.count == others.count + 1)
  }

  @Test func directionsDiffer() {
    let back = FrameBuilder(
      sourceMAC: ends.destinationMAC, destinationMAC: ends.sourceMAC,
      source: ends.destination, destination: ends.source)
    #expect(
      hash(ends.udp(sourcePort: 1, destinationPort: 2))
        != hash(back.udp(sourcePort: 2, destinationPort: 1)))
  }

  @Test(arguments: fixedSeeds)
  func fragmentsStayWithTheirSiblings(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      var builder = ends
      builder.identification = generator.uint16()
      builder.destination = .random(&generator)
      let frames = builder.fragments(
        size: 64, sourcePort: generator.uint16(), destinationPort: generator.uint16(),
        payload: generator.bytes(300))
      #expect(frames.count == 5 && Set(frames.map(hash)).count == 1, "\(generator)")
    }
  }

  @Test func fragmentsOfOneProtocolShareAPathAndPortsDoNotCount() {
    let payload = [UInt8](repeating: 0, count: 100)
    let one = ends.fragments(size: 64, sourcePort: 1, destinationPort: 2, payload: payload)
    let two = ends.fragments(size: 64, sourcePort: 3, destinationPort: 4, payload: payload)
    #expect(hash(one[0]) == hash(two[0]))
  }

  @Test func optionsDoNotHideThePorts() {
    var builder = ends
    builder.options = [1, 1, 1, 0]
    let plain = ends.udp(sourcePort: 7, destinationPort: 9)
    #expect(hash(builder.udp(sourcePort: 7, destinationPort: 9)) == hash(plain))
    #expect(hash(builder.udp(sourcePort: 8, destinationPort: 9)) != hash(plain))
  }

  @Test func fragmentsOfIPv6HaveNoPorts() {
    let rest = [UInt8](repeating: 0, count: 4)
    let first = ends.ipv6(nextHeader: 44, payload: [17, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 2] + rest)
    let last = ends.ipv6(nextHeader: 44, payload: [17, 0, 0, 64, 0, 0, 0, 1, 9, 9, 9, 9])
    #expect(hash(first) == hash(last))
  }

  @Test func everyTruncationHasAHash() {
    let frames = [
      ends.tcp(sourcePort: 1, destinationPort: 2), ends.arpRequest(),
      ends.ipv6(nextHeader: 17, payload: [0, 1, 0, 2, 0, 8, 0, 0]),
    ]
    for frame in frames {
      for length in 0...frame.count {
        let value = hash(Array(frame.prefix(length)))
        #expect((value == 0) == (length < 14), "length \(length)")
      }
    }
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    let ipv6 = ends.ipv6(nextHeader: 17, payload: [0, 1, 0, 2])
    hammer(seed: seed, golden: ipv6) { _ = hash($0) }
    hammer(seed: seed, golden: ends.tcp(sourcePort: 1, destinationPort: 2)) { _ = hash($0) }
  }
}

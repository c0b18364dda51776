// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// Datagrams of sleeve that lie in several chunks.
struct LongDatagramTests {
  @Test(arguments: 1...2) func fragmentationTestIsReported(neighbour: Int) throws {
    let bench = try UnpackBench()
    var damaged = zeroFrame(60_001)
    damaged[50_000] = 1
    for (number, test) in [zeroFrame(60_001), damaged, zeroFrame(60_000)].enumerated() {
      let sent = try bench.pass([(neighbour, 0, test)], via: neighbour, number: UInt64(number))
      #expect(sent.isEmpty)
    }
    let reports = bench.bridge.takeControlFrames()
    #expect(reports.map(\.kind) == [.fragmentationTest, .damagedFragmentationTest, .lengthTest])
    #expect(reports.map(\.frameLength) == [60_001, 60_001, 60_000])
    #expect(try bench.isInOrder())
  }

  @Test(arguments: 1...2, [1, 2, 40])
  func recordsLeaveInTheirOrder(neighbour: Int, count: Int) throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = (0..<count).map { frame(from: 1, to: 2, payloadLength: 1400 + $0) }
    let beat = (neighbour, 0, zeroFrame(3000))
    let sent = try bench.pass(
      [beat] + inner.map { (neighbour, 0, $0) } + [beat], via: neighbour)
    #expect(sent == [port(1): inner])
    #expect(bench.bridge.takeControlFrames().map(\.frameLength) == [3000, 3000])
    let account = try bench.bridge.account
    #expect(account.received == 1 && account.copied == UInt64(count + 1))
    #expect(try bench.isInOrder())
  }

  @Test(arguments: 1...2) func longFrameIsLeftWhereItIs(neighbour: Int) throws {
    var options = MemorySwitch.Options()
    options.frameLengthMax = 9000
    let bench = try UnpackBench(options)
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2, payloadLength: 8900)
    #expect(try bench.pass([(neighbour, 0, inner)], via: neighbour) == [port(1): [inner]])
    #expect(try bench.isInOrder())
  }

  @Test(arguments: 1...2) func everyEndThatIsCutOffHasItsEnd(neighbour: Int) throws {
    let bench = try UnpackBench()
    let records = (0..<5).map {
      sleeveRecord(from: neighbour, to: 0, frame(from: 1, to: 2, payloadLength: 900 + $0))
    }
    let whole = bench.datagram(from: neighbour, records)
    for length in stride(from: 3500, to: whole.count, by: 37) {
      try bench.pass(Array(whole.prefix(length)), via: neighbour)
      _ = bench.bridge.drain()
    }
    #expect(try bench.isInOrder())
  }

  @Test func longPacketThatSaysItIsShortIsRefused() throws {
    let bench = try UnpackBench()
    let record = sleeveRecord(from: 1, to: 0, frame(from: 1, to: 2))
    let packet = sleeveOuter(fromPeer: 1, bench.datagram(from: 1, [record]))
    try bench.bridge.pass(packet + zeroFrame(5000), into: MemorySwitch.underlay)
    let network = meshNetwork(from: 0xB0B, to: 0xA0A)
    let other = meshOuter(fromPeer: 1, frame(from: 1, to: 2), network: network)
    try bench.bridge.pass(other + zeroFrame(5000), into: MemorySwitch.underlay)
    #expect(try bench.bridge.account.dropped(.outerMalformed) == 2)
    #expect(try bench.isInOrder())
  }
}

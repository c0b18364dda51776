// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Inet
import TestSupport
import Testing

/// A port of UDP sockets against plain sockets of the kernel, over the loopback interface.
@Suite(.serialized)
struct SocketPortTests {
  /// Around the lengths at which another piece begins.
  private static let lengths = [
    0, 1, 2, 1400, 3797, 3798, 3799, 7637, 7638, 7639, 30_000, 65_506, 65_507,
  ]

  private func payload(_ length: Int, _ seed: Int = 1) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed &+ $0 >> 8) }
  }

  @Test func receivedDatagramStandsBehindHeadersOfItsWay() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    #expect(plain.send(payload(100), to: bench.udpPort))
    var expected = UnderlayFrame(from: plain.udpPort, to: bench.udpPort)
    expected.source = PlainSocket.loopback
    expected.mayFragment = true
    #expect(bench.receive(count: 1) == [expected.bytes(payload(100))])
    #expect(bench.isAtRest)
  }

  @Test func datagramsOfAllLengthsAreReceivedWhole() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    for length in SocketPortTests.lengths {
      #expect(plain.send(payload(length), to: bench.udpPort))
      let frames = bench.receive(count: 1)
      #expect(frames.map { Array($0.dropFirst(42)) } == [payload(length)], "\(length) bytes")
    }
    #expect(bench.isAtRest && bench.port.losses().receiveDropped == 0)
  }

  @Test(arguments: [false, true])
  func datagramsOfAllLengthsAreSentWhole(mayFragment: Bool) throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    var outer = UnderlayFrame(from: bench.udpPort, to: plain.udpPort)
    outer.mayFragment = mayFragment
    for length in SocketPortTests.lengths {
      #expect(bench.send([outer.bytes(payload(length))]) == 1)
      let received = plain.receive()
      #expect(received?.bytes == payload(length), "\(length) bytes")
      #expect(received?.source == SocketAddress(PlainSocket.loopback, port: bench.udpPort))
    }
    #expect(bench.isAtRest && bench.port.losses().transmitRefused == 0)
  }

  @Test func equallyLongDatagramsOfAFlowLeaveAsOneMessage() throws {
    let bench = try SocketBench()
    let (plain, other) = (try PlainSocket(), try PlainSocket())
    #expect(plain.join() && other.join())
    var frames: [[UInt8]] = []
    for index in 0..<20 {
      frames.append(
        UnderlayFrame(from: bench.udpPort, to: plain.udpPort).bytes(payload(900, index)))
      let length = index == 19 ? 300 : 1000
      frames.append(
        UnderlayFrame(from: bench.udpPort, to: other.udpPort).bytes(payload(length, index)))
    }
    #expect(bench.send(frames) == 1, "one system call for both flows")
    #expect(plain.receive()?.bytes == (0..<20).flatMap { payload(900, $0) })
    #expect(other.receive()?.bytes == (0..<20).flatMap { payload($0 == 19 ? 300 : 1000, $0) })
    #expect(plain.isEmpty && other.isEmpty && bench.isAtRest)
  }

  @Test func withoutSegmentationEveryDatagramIsAMessage() throws {
    var options = SocketBench.Options()
    options.hasSegmentation = false
    let bench = try SocketBench(options)
    let plain = try PlainSocket()
    #expect(plain.join())
    let outer = UnderlayFrame(from: bench.udpPort, to: plain.udpPort)
    #expect(bench.send((0..<20).map { outer.bytes(payload(900, $0)) }) == 1)
    #expect(plain.receive(count: 20) == (0..<20).map { payload(900, $0) })
    #expect(bench.isAtRest)
  }

  @Test func joinedDatagramsAreTakenApart() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    #expect(plain.cut(into: 1000))
    for _ in 0..<5 { #expect(plain.send(payload(50_500), to: bench.udpPort)) }
    let received = bench.receive(count: 5 * 51).map { Array($0.dropFirst(42)) }
    let expected = stride(from: 0, to: 50_500, by: 1000).map {
      Array(payload(50_500)[$0..<min($0 + 1000, 50_500)])
    }
    #expect(received == Array(repeating: expected, count: 5).flatMap { $0 })
    #expect(bench.isAtRest)
  }

  @Test func ownAddressAndPortAreThoseOfTheHeader() throws {
    var options = SocketBench.Options()
    options.udpPorts = [try PlainSocket.freePort(), try PlainSocket.freePort()]
    let bench = try SocketBench(options)
    let plain = try PlainSocket()
    for udpPort in options.udpPorts + [9] {
      var outer = UnderlayFrame(from: udpPort, to: plain.udpPort)
      outer.source = IPv4Address(bits: 0x7F00_0000 + UInt32(udpPort & 0xFF) + 2)
      _ = bench.send([outer.bytes(payload(10))])
      let own = udpPort == 9 ? options.udpPorts[0] : udpPort
      #expect(plain.receive()?.source == SocketAddress(outer.source, port: own))
    }
    #expect(bench.isAtRest)
  }

  @Test func bothUDPPortsReceive() throws {
    var options = SocketBench.Options()
    options.udpPorts = [try PlainSocket.freePort(), try PlainSocket.freePort()]
    let bench = try SocketBench(options)
    let plain = try PlainSocket()
    for udpPort in options.udpPorts + options.udpPorts {
      #expect(plain.send(payload(20), to: udpPort))
      let frame = try #require(bench.receive(count: 1).first)
      #expect(Array(frame[36..<38]) == octets(udpPort))
    }
  }

  @Test func closedUDPPortReceivesNoMoreAndTheFirstStays() throws {
    var options = SocketBench.Options()
    options.udpPorts = [try PlainSocket.freePort(), try PlainSocket.freePort()]
    let bench = try SocketBench(options)
    let (first, second) = (options.udpPorts[0], options.udpPorts[1])
    bench.port.close(first)
    #expect(bench.port.udpPorts == [first, second])
    bench.port.close(second)
    #expect(bench.port.udpPorts == [first])
    let taken = try PlainSocket(udpPort: second)
    // What is still to be sent from it goes from the first one.
    let outer = UnderlayFrame(from: second, to: taken.udpPort)
    _ = bench.send([outer.bytes(payload(5))])
    #expect(taken.receive()?.source.port == first)
    #expect(bench.isAtRest)
  }

  @Test(arguments: fixedSeeds)
  func whatIsSentArrivesInTheOrderOfItsFlow(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var options = SocketBench.Options()
    options.hasSegmentation = seed % 4 != 0
    let bench = try SocketBench(options)
    let plain = try (0..<4).map { _ in try PlainSocket() }
    for _ in 0..<40 {
      var expected: [[[UInt8]]] = Array(repeating: [], count: plain.count)
      var frames: [[UInt8]] = []
      let common = 1 + random.number(below: 2000)
      // The longest is one at a time: a socket without privileges has room for few of them.
      let longest = random.number(below: 2) * random.number(below: 65_508)
      for place in 0..<(1 + random.number(below: 80)) {
        let target = random.number(below: plain.count)
        var outer = UnderlayFrame(from: bench.udpPort, to: plain[target].udpPort)
        outer.mayFragment = random.number(below: 4) == 0
        let isOdd = random.number(below: 5) == 0
        let length = place == 5 ? longest : isOdd ? random.number(below: 2000) : common
        expected[target].append(random.bytes(length))
        frames.append(outer.bytes(expected[target].last ?? []))
      }
      _ = bench.send(frames)
      for (target, payloads) in expected.enumerated() {
        let isSame = plain[target].receive(count: payloads.count) == payloads
        try #require(isSame, "\(random)")
      }
    }
    #expect(bench.isAtRest && bench.port.losses() == (0, 0), "\(random)")
  }

  @Test(arguments: fixedSeeds)
  func whatArrivesIsReceivedInOrder(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var options = SocketBench.Options()
    options.hasSegmentation = seed % 4 != 0
    let bench = try SocketBench(options)
    let (plain, cutting) = (try PlainSocket(), try PlainSocket())
    let segment = 500 + random.number(below: 900)
    #expect(cutting.cut(into: segment))
    for _ in 0..<40 {
      var expected: [[UInt8]] = []
      let longest = random.number(below: 2) * random.number(below: 65_508)
      for place in 0..<(1 + random.number(below: 10)) {
        let isCut = place != 5 && random.number(below: 3) == 0
        let length = isCut ? 10_000 : place == 5 ? longest + 1 : 3000
        let bytes = random.bytes(isCut ? 1 + random.number(below: length) : length - 1)
        #expect((isCut ? cutting : plain).send(bytes, to: bench.udpPort), "\(random)")
        guard isCut else {
          expected.append(bytes)
          continue
        }
        expected += stride(from: 0, to: bytes.count, by: segment).map {
          Array(bytes[$0..<min($0 + segment, bytes.count)])
        }
      }
      let received = bench.receive(count: expected.count).map { Array($0.dropFirst(42)) }
      let isSame = received == expected
      try #require(isSame, "\(random)")
    }
    #expect(bench.isAtRest && bench.port.losses() == (0, 0), "\(random)")
  }
}

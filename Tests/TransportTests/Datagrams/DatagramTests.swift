// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Testing

@testable import Transport

extension SocketTests {
  /// Datagrams over the loopback interface, whose MTU is 65,536.
  @Suite struct DatagramTests {
    @Test(arguments: [true, false])
    func datagramsArriveWithTheirSender(isFragmentable: Bool) throws {
      let (first, second) = (try Station(), try Station())
      for length in [0, 1, 1000, 60_021] {
        first.transport.send(
          datagram: stream(length), to: second.address, isFragmentable: isFragmentable)
        let found = second.record.wait { $0.datagrams.last { $0.bytes.count == length } }
        #expect(found?.bytes == stream(length))
        #expect(found?.source == first.address)
      }
      #expect(first.transport.counts.datagramsSent == 4)
      #expect(second.transport.counts.datagramsReceived == 4)
      second.wait { $0.unconsumedLength == 0 }
    }

    @Test func settingsOfDatagramsDoNotMix() throws {
      let (first, second) = (try Station(), try Station())
      for number in 0..<200 {
        first.transport.send(
          datagram: [UInt8(number)], to: second.address, isFragmentable: number % 3 == 0)
      }
      let all = second.record.wait { $0.datagrams.count == 200 ? $0.datagrams : nil }
      #expect(all?.map { $0.bytes } == (0..<200).map { [UInt8($0)] })
    }

    @Test func longestDatagramArrivesAndALongerOneIsCounted() throws {
      let (first, second) = (try Station(), try Station())
      for length in [65_508, 70_000] {
        first.transport.send(datagram: stream(length), to: second.address, isFragmentable: true)
      }
      first.transport.send(datagram: stream(65_507), to: second.address, isFragmentable: true)
      let found = second.record.wait { $0.datagrams.first }
      #expect(found?.bytes == stream(65_507))
      #expect(first.transport.counts.datagramsTooLong == 2)
      #expect(first.record.read { $0.tooLong.isEmpty })
    }

    @Test func datagramsNotConsumedAreBounded() throws {
      let first = try Station()
      let second = try Station(consumes: false) { $0.datagramLengthMax = 10_000 }
      let kept = 10_000 / (1000 + DatagramInbox.overhead)
      for _ in 0..<100 {
        first.transport.send(datagram: stream(1000), to: second.address, isFragmentable: true)
      }
      second.wait { $0.datagramsReceived + $0.datagramsUnheard + $0.datagramsLost == 100 }
      #expect(second.transport.counts.datagramsReceived == kept)
      #expect(second.record.read { $0.datagrams.count } == kept)
      #expect(second.transport.counts.unconsumedLength <= 10_000)
      second.transport.consumed(datagram: 1000)
      first.transport.send(datagram: stream(999), to: second.address, isFragmentable: true)
      #expect(second.record.wait { $0.datagrams.last { $0.bytes.count == 999 } } != nil)
      for _ in 0..<100 { second.transport.consumed(datagram: 65_535) }
      second.wait { $0.unconsumedLength == 0 }
    }

    @Test func portWhereNobodyIsDoesNotSpoilOtherDatagrams() throws {
      let (first, second) = (try Station(), try Station())
      let gone = try Station()
      let nobody = gone.address
      gone.transport.stop()
      for number in 0..<100 {
        first.transport.send(datagram: [0], to: nobody, isFragmentable: number % 2 == 0)
        first.transport.send(
          datagram: [UInt8(number)], to: second.address, isFragmentable: number % 2 == 0)
      }
      let all = second.record.wait { $0.datagrams.count == 100 ? $0.datagrams : nil }
      #expect(all?.map { $0.bytes } == (0..<100).map { [UInt8($0)] })
    }

    @Test func impossibleDestinationsAreCounted() throws {
      let station = try Station()
      station.transport.send(
        datagram: [1], to: SocketAddress(IPv4Address(bits: 0xFFFF_FFFF), port: 1),
        isFragmentable: true)
      station.transport.send(
        datagram: [1], to: SocketAddress(IPv4Address(bits: 0x7F00_0001), port: 0),
        isFragmentable: false)
      #expect(station.transport.counts.datagramsRefused == 2)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Mesh
import Testing

@testable import Transport

extension SocketTests {
  /// Dialling in vain is told in words.
  @Suite struct DialTests {
    private let link = LinkIdentifier(3)

    private func failure(_ station: Station, _ remote: SocketAddress) -> String {
      station.transport.dial(link, remote)
      return station.record.wait { $0.ends[link] } ?? "nothing was told"
    }

    @Test func nobodyListens() throws {
      let station = try Station()
      let port = try RawSocket().listen(backlog: 1)
      let reason = failure(station, SocketAddress(station.address.address, port: port))
      #expect(reason == "connection refused: no peer listens there")
      #expect(station.transport.counts.dialsFailed == 1)
      station.wait { $0.links == 0 }
    }

    @Test func nobodyAnswers() throws {
      // The kernel takes one connection more than the queue's length, and lets the others wait.
      let (full, waiting) = (try RawSocket(), try RawSocket())
      let port = full.listen(backlog: 0)
      let address = SocketAddress(IPv4Address(bits: 0x7F00_0001), port: port)
      waiting.connect(to: address)
      let station = try Station { $0.dialTimeout = .milliseconds(200) }
      #expect(failure(station, address) == "timed out: nothing answers at that address")
      station.wait { $0.links == 0 }
    }

    @Test func addressCannotBeDialled() throws {
      let station = try Station()
      let reason = failure(station, SocketAddress(IPv4Address(bits: 0xFFFF_FFFF), port: 6783))
      #expect(!reason.isEmpty && reason != "nothing was told")
      station.wait { $0.links == 0 && $0.dialsFailed == 1 }
    }

    @Test func tooManyAreDialledAtOnce() throws {
      let other = try Station()
      let station = try Station { $0.dialedLinksMax = 2 }
      _ = try station.dial(other, number: 1)
      _ = try station.dial(other, number: 2)
      #expect(failure(station, other.address).hasPrefix("too many connections: 2 "))
      station.transport.close(LinkIdentifier(1))
      _ = try station.dial(other, number: 4)
    }

    @Test func dialThatIsClosedBeforeItsAnswerTellsNothing() throws {
      let (full, waiting) = (try RawSocket(), try RawSocket())
      let port = full.listen(backlog: 0)
      let address = SocketAddress(IPv4Address(bits: 0x7F00_0001), port: port)
      waiting.connect(to: address)
      let station = try Station()
      for number in 1...10 {
        station.transport.dial(LinkIdentifier(UInt64(number)), address)
        station.transport.close(LinkIdentifier(UInt64(number)))
      }
      _ = try station.dial(station, number: 99)
      station.wait { $0.links == 2 }
      #expect(station.record.read { $0.inputs.count } == 2)
    }

    @Test func portOfAnotherIsNotListenedAt() throws {
      let station = try Station()
      let error = #expect(throws: TransportError.self) {
        _ = try Station { $0.listen.port = station.transport.localPort }
      }
      #expect(error?.description.contains("TCP port \(station.transport.localPort)") == true)
    }

    @Test func addressOfAnotherHostIsNotListenedAt() throws {
      let error = #expect(throws: TransportError.self) { _ = try Station(address: "192.0.2.1") }
      #expect(error?.description.contains("192.0.2.1 is not an address of this host") == true)
    }
  }
}

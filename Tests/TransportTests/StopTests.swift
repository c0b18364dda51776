// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Mesh
import Testing

@testable import Transport

extension SocketTests {
  /// What `stop()` leaves.
  @Suite struct StopTests {
    @Test func stopLeavesNoDescriptorAndNoThread() throws {
      // What the libraries keep for good is there after the first.
      try Station().transport.stop()
      let (descriptors, threads) = (Holdings.descriptorCount, Holdings.threads)
      for _ in 0..<5 { try runAndStop() }
      #expect(eventually { Holdings.descriptorCount == descriptors })
      #expect(Holdings.threads == threads)
    }

    /// Stops while links are open, bytes wait, and one is being dialled.
    private func runAndStop() throws {
      let (full, waiting) = (try RawSocket(), try RawSocket())
      let unanswering = SocketAddress(
        IPv4Address(bits: 0x7F00_0001), port: full.listen(backlog: 0))
      waiting.connect(to: unanswering)
      let first = try Station()
      let second = try Station(consumes: false)
      let (ours, _) = try first.dial(second)
      first.transport.send(stream(8 << 20), on: ours)
      first.transport.dial(LinkIdentifier(2), unanswering)
      second.wait { $0.unconsumedLength >= 256 << 10 }
      first.transport.stop()
      second.transport.stop()
    }

    @Test func stopIsSeenAsResetAndNothingIsToldAfterIt() throws {
      let station = try Station()
      let caller = try RawSocket()
      caller.connect(to: station.address)
      _ = try station.record.need { $0.accepted.first }
      station.transport.stop()
      let told = station.record.read { $0.inputs.count }
      #expect(caller.errorAtEnd() == ECONNRESET)
      #expect(station.record.read { $0.inputs.count } == told)
      #expect(station.record.read { $0.ends.isEmpty })
    }

    @Test func whatIsAskedForAfterStopIsForgotten() throws {
      let station = try Station()
      station.transport.stop()
      station.transport.stop()
      station.transport.dial(LinkIdentifier(1), station.address)
      station.transport.send([1], on: LinkIdentifier(1))
      station.transport.consumed(1, on: LinkIdentifier(1))
      station.transport.close(LinkIdentifier(1))
      #expect(station.record.read { $0.inputs.isEmpty })
      #expect(station.transport.counts.links == 0)
    }

    @Test func portsAreFreeAgainAfterStop() throws {
      let station = try Station()
      let port = station.transport.localPort
      let other = try Station()
      _ = try other.dial(station)
      station.transport.stop()
      let next = try Station { $0.listen.port = port }
      _ = try other.dial(next, number: 2)
      #expect(next.transport.localPort == port)
    }
  }
}

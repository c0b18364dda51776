// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Mesh
import Testing

@testable import Transport

extension SocketTests {
  /// Many connections, and such as say nothing, disturb no link that is there.
  @Suite struct FloodTests {
    /// Sends numbers there and back, one after the other.
    private func converse(_ first: Station, _ second: Station, _ count: Int) throws {
      let (ours, theirs) = try first.dial(second, number: UInt64.random(in: 1...1 << 62))
      for number in 1...count {
        first.transport.send([UInt8(truncatingIfNeeded: number)], on: ours)
        _ = try second.record.need { $0.received[theirs]?.count == number ? number : nil }
        second.transport.send([UInt8(truncatingIfNeeded: number)], on: theirs)
        _ = try first.record.need { $0.received[ours]?.count == number ? number : nil }
      }
      first.transport.close(ours)
    }

    @Test func thousandConnectionsAreLetInSlowlyAndDisturbNobody() throws {
      let first = try Station()
      let second = try Station {
        $0.acceptBurst = 5
        $0.acceptInterval = .milliseconds(5)
        $0.acceptedLinksMax = 16
      }
      let (ours, theirs) = try first.dial(second)
      let before = Holdings.descriptorCount
      var flood: [RawSocket] = []
      for number in 1...1000 {
        let socket = try RawSocket(isBlocking: false)
        socket.connect(to: second.address)
        flood.append(socket)
        guard number.isMultiple(of: 10) else { continue }
        first.transport.send(stream(10, from: number - 10), on: ours)
        let count = number
        _ = try second.record.need { $0.received[theirs]?.count == count ? count : nil }
        // The flood's own ends, those let in, and one that is just being refused.
        #expect(Holdings.descriptorCount <= before + flood.count + 16 + 1)
      }
      #expect(second.record.read { $0.received[theirs] } == stream(1000))
      second.wait { $0.linksRefused > 50 && $0.acceptsDelayed > 50 }
      #expect(second.transport.counts.links <= 16)
      flood = []
      second.wait { $0.links == 1 }
      try converse(first, second, 10)
      #expect(second.record.read { $0.ends[theirs] } == nil)
    }

    @Test func moreLinksThanThereMayBeAreRefusedUntilOneEnds() throws {
      let station = try Station { $0.acceptedLinksMax = 2 }
      let first = try RawSocket()
      first.connect(to: station.address)
      var second: RawSocket? = try RawSocket()
      second?.connect(to: station.address)
      station.wait { $0.links == 2 }
      let third = try RawSocket()
      third.connect(to: station.address)
      #expect(third.errorAtEnd() == ECONNRESET)
      #expect(station.transport.counts.linksRefused == 1)
      second = nil
      station.wait { $0.links == 1 }
      let fourth = try RawSocket()
      fourth.connect(to: station.address)
      station.wait { $0.linksAccepted == 3 }
    }

    @Test func wantOfDescriptorsIsWaitedOutWhileLinksGoOn() throws {
      let (first, second) = (try Station(), try Station())
      let (ours, theirs) = try first.dial(second)
      let late = try RawSocket()
      let unread = Holdings.lowerDescriptorLimit()
      late.connect(to: second.address)
      let failed = eventually { second.transport.counts.acceptsFailed >= 2 }
      for number in 1...50 {
        first.transport.send([UInt8(number)], on: ours)
        _ = second.record.wait { $0.received[theirs]?.count == number ? number : nil }
      }
      let failures = second.transport.counts.acceptsFailed
      Holdings.restoreDescriptorLimit(unread)
      #expect(failed)
      // A loop that does not rest comes to more in a moment.
      #expect(failures < 1000)
      #expect(second.record.read { $0.received[theirs]?.count } == 50)
      second.wait { $0.linksAccepted == 2 }
    }

    @Test func connectionsThatSayLittleHoldLittle() throws {
      let station = try Station()
      let threads = Holdings.threads
      var silent: [RawSocket] = []
      for number in 0..<200 {
        let socket = try RawSocket()
        socket.connect(to: station.address)
        if number.isMultiple(of: 2) { socket.write([0x77]) }
        silent.append(socket)
      }
      station.wait { $0.links == 200 && $0.linksAccepted == 200 }
      let whole = station.record.wait { $0.received.count == 100 ? true : nil }
      #expect(whole == true)
      #expect(Holdings.threads == threads)
      station.wait { $0.unconsumedLength == 0 && $0.unsentLength == 0 }
      try converse(station, station, 10)
      silent = []
      station.wait { $0.links == 0 }
    }

    @Test func connectionsThatEndAtOnceLeaveNothing() throws {
      let station = try Station()
      for _ in 0..<300 {
        let socket = try RawSocket()
        socket.connect(to: station.address)
        socket.discardAtClose()
      }
      try converse(station, station, 10)
      station.wait { $0.links == 0 }
      // Each that was told of was told of in order, and to its end.
      #expect(station.record.read { $0.breaches } == [])
      #expect(station.record.read { story in story.accepted.allSatisfy { story.ends[$0] != nil } })
    }

    @Test func thoseWhoSayTooMuchAreHeldBackEach() throws {
      let first = try Station()
      let second = try Station(consumes: false)
      let (ours, theirs) = try first.dial(second)
      let before = second.transport.counts.links
      var writers: [RawSocket] = []
      for _ in 0..<16 {
        let writer = try RawSocket(isBlocking: false)
        writer.connect(to: second.address)
        // Otherwise the kernel goes on to offer what it has, behind which the end is not seen.
        writer.discardAtClose()
        writers.append(writer)
      }
      second.wait { $0.linksAccepted == before + 16 }
      let most = (256 << 10) + LinkOptions.readLength
      let piece = stream(64 << 10)
      // Each round writes to all whatever the kernel takes; the conversation goes on meanwhile.
      for round in 1...200 {
        for writer in writers { writer.write(piece) }
        first.transport.send([UInt8(round)], on: ours)
        _ = try second.record.need { $0.received[theirs]?.count == round ? round : nil }
      }
      second.wait { $0.unconsumedLength >= 16 * (256 << 10) }
      #expect(second.transport.counts.unconsumedLength <= 16 * most + 200)
      #expect(second.record.read { $0.unconsumedMost } <= most)
      writers = []
      second.wait { $0.links == before }
      second.wait { $0.unconsumedLength == 200 }
    }
  }
}

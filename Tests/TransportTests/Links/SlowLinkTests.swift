// SPDX-License-Identifier: Apache-2.0

import Foundation
import Mesh
import Testing

@testable import Transport

extension SocketTests {
  /// Whoever does not read holds up nobody but himself.
  @Suite struct SlowLinkTests {
    private static let readMost = (256 << 10) + LinkOptions.readLength

    @Test func slowConsumerHoldsTheSenderBackAndLosesNothing() throws {
      let length = 10 << 20
      let first = try Station()
      let second = try Station(consumes: false)
      let (ours, theirs) = try first.dial(second)
      for start in stride(from: 0, to: length, by: 1 << 20) {
        first.transport.send(stream(1 << 20, from: start), on: ours)
      }
      second.wait { $0.unconsumedLength >= 256 << 10 }
      // The kernel has at most its two buffers of it, the rest waits at the sender.
      var readings: [Int] = []
      first.wait { counts in
        readings.append(counts.unsentLength)
        return readings.count > 20 && Set(readings.suffix(20)).count == 1
      }
      #expect(first.transport.counts.unsentLength > 6 << 20)
      var consumed = 0
      while consumed < length {
        let received = try second.record.need { story in
          story.received[theirs].flatMap { $0.count > consumed ? $0.count : nil }
        }
        second.record.consume(received - consumed, on: theirs)
        consumed = received
      }
      #expect(second.record.read { $0.received[theirs] } == stream(length))
      #expect(second.record.read { $0.unconsumedMost } <= Self.readMost)
      first.wait { $0.unsentLength == 0 }
      second.wait { $0.unconsumedLength == 0 }
    }

    @Test func silentReaderIsClosedWhileOthersGoOn() throws {
      let first = try Station { $0.unsentLengthMax = 1 << 20 }
      let second = try Station()
      let (ours, theirs) = try first.dial(second)
      let silent = try RawSocket()
      silent.connect(to: first.address)
      let link = try first.record.need { $0.accepted.first }
      var sent = 0
      while first.record.read({ $0.ends[link] }) == nil, sent < 64 << 20 {
        first.transport.send(stream(64 << 10), on: link)
        first.transport.send(stream(100, from: sent / (64 << 10) * 100), on: ours)
        sent += 64 << 10
        first.wait { $0.unsentLength <= 1 << 20 }
      }
      let reason = first.record.read { $0.ends[link] }
      #expect(reason?.hasPrefix("too slow: ") == true, "\(reason ?? "not closed")")
      let length = sent / (64 << 10) * 100
      #expect(second.record.wait { $0.received[theirs]?.count == length ? true : nil } == true)
      #expect(second.record.read { $0.received[theirs] } == stream(length))
      #expect(first.transport.counts.linksTooSlow == 1)
      first.wait { $0.unsentLength == 0 && $0.links == 1 }
    }

    @Test func readerThatTakesNothingIsClosedAfterAWhile() throws {
      let station = try Station { $0.sendStallMax = .milliseconds(100) }
      let silent = try RawSocket()
      silent.connect(to: station.address)
      let link = try station.record.need { $0.accepted.first }
      station.transport.send(stream(8 << 20), on: link)
      let reason = station.record.wait { $0.ends[link] }
      #expect(reason?.contains("took nothing") == true, "\(reason ?? "not closed")")
      #expect(silent.errorAtEnd() == ECONNRESET)
    }

    @Test func linkWithMostWaitingIsClosedWhenAllHoldTooMuch() throws {
      let station = try Station { $0.unsentLengthTotalMax = 7 << 20 }
      let (greedy, modest) = (try RawSocket(), try RawSocket())
      greedy.connect(to: station.address)
      let first = try station.record.need { $0.accepted.first }
      modest.connect(to: station.address)
      let second = try station.record.need { $0.accepted.dropFirst().first }
      // The kernel takes less than one of each.
      station.transport.send(stream(6 << 20), on: first)
      station.transport.send(stream(4 << 20), on: second)
      let reason = station.record.wait { $0.ends[first] }
      #expect(reason?.hasPrefix("too slow: ") == true)
      station.wait { $0.links == 1 && $0.unsentLength <= 4 << 20 }
      #expect(station.record.read { $0.ends[second] } == nil)
    }

    @Test func everythingSentBeforeTheEndIsReceivedThoughNothingIsConsumed() throws {
      let station = try Station(consumes: false) { $0.unconsumedLengthMax = 1000 }
      do {
        let caller = try RawSocket()
        caller.connect(to: station.address)
        #expect(caller.write(stream(100_000)) == 100_000)
      }
      let link = try station.record.need { $0.accepted.first }
      #expect(station.record.wait { $0.ends[link] } == LinkEnd.closedByOtherEnd)
      #expect(station.record.read { $0.received[link] } == stream(100_000))
      #expect(station.record.read { $0.breaches } == [])
      station.wait { $0.links == 0 && $0.unconsumedLength == 0 }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Mesh
import TestSupport
import Testing

@testable import Transport

extension SocketTests {
  /// Links as two transports have them.
  @Suite struct LinkTests {
    @Test func bytesGoThereAndBack() throws {
      let (first, second) = (try Station(), try Station())
      let (ours, theirs) = try first.dial(second)
      first.transport.send(Array("hello".utf8), on: ours)
      #expect(second.record.wait { $0.received[theirs]?.count == 5 ? true : nil } == true)
      second.transport.send(Array("world!".utf8), on: theirs)
      #expect(first.record.wait { $0.received[ours]?.count == 6 ? true : nil } == true)
      #expect(first.record.read { $0.received[ours] } == Array("world!".utf8))
      #expect(second.record.read { $0.received[theirs] } == Array("hello".utf8))
    }

    @Test func bothEndsAreNamedWithTheirAddresses() throws {
      let (first, second) = (try Station(), try Station())
      let (ours, theirs) = try first.dial(second, number: 7)
      #expect(ours == LinkIdentifier(7))
      #expect(theirs == LinkIdentifier(1 | 1 << 63))
      let dialed = first.record.read { $0.inputs.first }
      let accepted = second.record.read { $0.inputs.first }
      guard case .dialed(_, let remote, let local) = dialed,
        case .accepted(_, let caller, let called) = accepted
      else {
        Issue.record("\(String(describing: dialed)), \(String(describing: accepted))")
        return
      }
      #expect(remote == second.address && called == second.address)
      #expect(caller == local)
    }

    @Test func dialledLinksComeFromTheAddressListenedAt() throws {
      let first = try Station(address: "127.0.0.2")
      let second = try Station()
      _ = try first.dial(second)
      guard case .accepted(_, let remote, _) = second.record.read({ $0.inputs.first }) else {
        Issue.record("nothing was accepted")
        return
      }
      #expect(remote.address.description == "127.0.0.2")
      #expect(remote.port != first.transport.localPort)
    }

    @Test(arguments: fixedSeeds)
    func piecesOfAnyLengthArriveInOrder(seed: UInt64) throws {
      var generator = SeededGenerator(seed: seed)
      let (first, second) = (try Station(), try Station())
      let (ours, theirs) = try first.dial(second)
      var length = 0
      for _ in 0..<300 {
        let piece = Int.random(
          in: 0...1 << Int.random(in: 0...17, using: &generator), using: &generator)
        first.transport.send(stream(piece, from: length), on: ours)
        length += piece
      }
      let all = second.record.wait { $0.received[theirs]?.count == length ? true : nil }
      #expect(all == true, "\(generator)")
      #expect(second.record.read { $0.received[theirs] } == stream(length), "\(generator)")
      #expect(second.record.read { $0.breaches } == [])
      first.wait { $0.unsentLength == 0 }
    }

    @Test func otherEndIsToldOfTheEndAndNobodyElse() throws {
      let (first, second) = (try Station(), try Station())
      let (ours, theirs) = try first.dial(second)
      first.transport.close(ours)
      let reason = second.record.wait { $0.ends[theirs] }
      #expect(reason == "the other end reset the connection")
      first.wait { $0.links == 0 }
      #expect(first.record.read { $0.ends.isEmpty })
    }

    @Test func nothingIsToldOfALinkAfterItIsClosed() throws {
      let first = try Station()
      let second = try Station(reaction: { record, input in
        if case .received(let link, _) = input { record.use { $0.close(link) } }
      })
      for number in 1...20 {
        let (ours, theirs) = try first.dial(second, number: UInt64(number))
        for _ in 0..<50 { first.transport.send(stream(100_000), on: ours) }
        #expect(first.record.wait { $0.ends[ours] } != nil)
        let told = second.record.read { story in
          story.inputs.count { input in
            if case .received(theirs, _) = input { true } else { false }
          }
        }
        #expect(told <= 1)
        #expect(second.record.read { $0.ends[theirs] } == nil)
      }
      second.wait { $0.links == 0 && $0.unconsumedLength == 0 }
      first.wait { $0.links == 0 && $0.unsentLength == 0 }
    }

    @Test func bytesForALinkThatIsNoMoreAreForgotten() throws {
      let station = try Station()
      station.transport.send([1, 2, 3], on: LinkIdentifier(5))
      station.transport.consumed(1000, on: LinkIdentifier(5))
      station.transport.close(LinkIdentifier(5))
      let (ours, _) = try station.dial(station)
      station.transport.consumed(-1, on: ours)
      station.transport.consumed(.max, on: ours)
      station.wait { $0.unsentLength == 0 && $0.unconsumedLength == 0 && $0.links == 2 }
    }
  }
}

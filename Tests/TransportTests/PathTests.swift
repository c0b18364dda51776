// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Mesh
import Testing

@testable import Transport

extension SocketTests {
  /// Between hosts, with a router whose second link carries less.
  @Suite(.enabled(if: geteuid() == 0, "making network namespaces needs root")) struct PathTests {
    @Test func datagramTooLongForTheRouterIsTold() throws {
      try Hosts.lend { hosts in
        let (near, far) = (try hosts.nearStation(), try hosts.farStation())
        // 28 bytes of headers are added; the near link carries this.
        near.transport.send(datagram: stream(1400), to: far.address, isFragmentable: false)
        let told = near.record.wait { $0.tooLong.first }
        #expect(told?.destination == far.address)
        #expect(told?.pathMTU == 1300)
        #expect(near.transport.counts.datagramsSent == 1)
        // From now on the kernel knows.
        near.transport.send(datagram: stream(1273), to: far.address, isFragmentable: false)
        let again = near.record.wait { $0.tooLong.dropFirst().first }
        #expect(again?.destination == far.address)
        #expect(again?.pathMTU == 1300)
        #expect(near.transport.counts.datagramsTooLong == 1)
        near.transport.send(datagram: stream(1272), to: far.address, isFragmentable: false)
        let found = far.record.wait { $0.datagrams.first }
        #expect(found?.bytes == stream(1272))
        #expect(found?.source == near.address)
      }
    }

    @Test func datagramTooLongForTheOwnLinkIsTold() throws {
      try Hosts.lend { hosts in
        let (near, far) = (try hosts.nearStation(), try hosts.farStation())
        far.transport.send(datagram: stream(60_000), to: near.address, isFragmentable: false)
        let told = far.record.wait { $0.tooLong.first }
        #expect(told?.destination == near.address)
        #expect(told?.pathMTU == 1300)
        #expect(far.transport.counts.datagramsTooLong == 1)
      }
    }

    @Test func fragmentsArePutTogether() throws {
      try Hosts.lend { hosts in
        let (near, far) = (try hosts.nearStation(), try hosts.farStation())
        // A neighbour that is looked for holds few packets; the first datagram finds it.
        near.transport.send(datagram: [1], to: far.address, isFragmentable: true)
        _ = try far.record.need { $0.datagrams.first }
        near.transport.send(datagram: stream(60_021), to: far.address, isFragmentable: true)
        let found = far.record.wait { $0.datagrams.dropFirst().first }
        #expect(found?.bytes == stream(60_021))
      }
    }

    @Test func addressesWithoutARouteAreTold() throws {
      try Hosts.lend { hosts in
        let near = try hosts.nearStation()
        let remote = SocketAddress(try #require(IPv4Address("198.51.100.1")), port: 6783)
        near.transport.dial(LinkIdentifier(1), remote)
        let reason = near.record.wait { $0.ends[LinkIdentifier(1)] }
        #expect(reason == "no route: that address cannot be reached from here")
        near.transport.send(datagram: [1], to: remote, isFragmentable: true)
        #expect(near.transport.counts.datagramsRefused == 1)
      }
    }

    @Test func linksCrossTheRouter() throws {
      try Hosts.lend { hosts in
        let (near, far) = (try hosts.nearStation(), try hosts.farStation())
        let (ours, theirs) = try near.dial(far)
        near.transport.send(stream(1 << 20), on: ours)
        let all = try far.record.need { story in
          story.received[theirs].flatMap { $0.count == 1 << 20 ? $0 : nil }
        }
        #expect(all == stream(1 << 20))
      }
    }
  }
}

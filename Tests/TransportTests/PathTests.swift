// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Mesh
import Testing

@testable import Transport

extension SocketTests {
  /// Between hosts, with a router.
  @Suite(.enabled(if: geteuid() == 0, "making network namespaces needs root")) struct PathTests {
    @Test func addressesWithoutARouteAreTold() throws {
      try Hosts.lend { hosts in
        let near = try hosts.nearStation()
        let remote = SocketAddress(try #require(IPv4Address("198.51.100.1")), port: 6783)
        near.transport.dial(LinkIdentifier(1), remote)
        let reason = near.record.wait { $0.ends[LinkIdentifier(1)] }
        #expect(reason == "no route: that address cannot be reached from here")
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

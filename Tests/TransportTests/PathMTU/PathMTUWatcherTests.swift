// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Synchronization
import Testing

@testable import Transport

extension SocketTests {
  /// What a real router says, whose second link carries 1300 bytes.
  @Suite(.enabled(if: geteuid() == 0, "making network namespaces needs root"))
  struct PathMTUWatcherTests {
    private final class Heard: Sendable {
      private let complaints = Mutex<[PathMTUComplaint]>([])

      func add(_ complaint: PathMTUComplaint) { complaints.withLock { $0.append(complaint) } }

      var all: [PathMTUComplaint] { complaints.withLock { $0 } }
    }

    private struct Near: ~Copyable {
      let watcher: PathMTUWatcher
      let probe: ProbeSocket
      let heard = Heard()

      /// Watches for `ports`, and sends from port 6784.
      init(_ hosts: Hosts, ports: Set<UInt16>) throws {
        let heard = heard
        (watcher, probe) = try hosts.onNear {
          // A clock that stands still: what may be reported at once is all that ever is.
          (
            try PathMTUWatcher(ports: ports, now: { 1 }) { heard.add($0) },
            try ProbeSocket(port: 6784)
          )
        }
      }

      deinit { watcher.stop() }

      func counts(are expected: (PathMTUWatcher.Counts) -> Bool) -> Bool {
        eventually { expected(watcher.counts) }
      }
    }

    private func far(_ port: UInt16) throws -> SocketAddress {
      SocketAddress(try #require(IPv4Address(Hosts.far)), port: port)
    }

    @Test func routersComplaintIsReported() throws {
      try Hosts.lend { hosts in
        let near = try Near(hosts, ports: [6784])
        let target = try far(9000)
        #expect(near.probe.send(1273, to: target))
        #expect(near.counts { $0.reported == 1 })
        #expect(near.heard.all == [PathMTUComplaint(destination: target, pathMTU: 1300)])
        #expect(near.watcher.counts.refused == 0)
      }
    }

    @Test func onlyPortsThatWereGivenLastAreHeardOf() throws {
      try Hosts.lend { hosts in
        let near = try Near(hosts, ports: [4789])
        #expect(near.probe.send(1400, to: try far(9000)))
        #expect(near.counts { $0.refused == 1 })
        near.watcher.setPorts([9001])
        #expect(near.probe.send(1400, to: try far(9001)))
        #expect(near.counts { $0.reported == 1 })
        #expect(near.heard.all.map(\.destination.port) == [9001])
      }
    }

    @Test func otherComplaintsAreNotHeard() throws {
      try Hosts.lend { hosts in
        let near = try Near(hosts, ports: [6784])
        // Nobody listens there, and the far host says so.
        #expect(near.probe.send(100, to: try far(9000)))
        #expect(near.counts { $0.refused == 1 })
        #expect(near.heard.all.isEmpty)
      }
    }

    @Test func floodIsCountedAndWithheld() throws {
      try Hosts.lend { hosts in
        try hosts.liftRouterLimits()
        let near = try Near(hosts, ports: [6784])
        let target = try far(9000)
        // One at a time, so that no queue on the way runs over.
        for number in 1...120 {
          #expect(near.probe.send(1400, to: target))
          #expect(near.counts { $0.reported + $0.withheld == number })
        }
        #expect(near.watcher.counts.reported == 100)
        #expect(near.watcher.counts.withheld == 20)
        #expect(near.heard.all.count == 100)
      }
    }

    @Test func stopLeavesNoSocketAndNoThread() throws {
      let threads = Holdings.threads
      for _ in 0..<5 {
        let watcher = try PathMTUWatcher(ports: [1]) { _ in }
        #expect(Holdings.rawSocketCount == 1)
        watcher.stop()
        watcher.stop()
        watcher.setPorts([2])
        #expect(watcher.counts == PathMTUWatcher.Counts())
      }
      #expect(Holdings.rawSocketCount == 0)
      #expect(Holdings.threads == threads)
    }
  }
}

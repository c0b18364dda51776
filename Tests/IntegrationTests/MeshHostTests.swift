// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Hosts that find each other, and containers that reach each other over the mesh.
  @Suite struct MeshHostTests {
    @Test(.timeLimit(.minutes(5))) func twoHostsFindEachOtherAndTheirContainersToo() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2, peers: [1]))
        for host in bed.hosts { try host.start() }
        try a.waitUntilConnected(2)
        try b.waitUntilConnected(1)
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        try left.ping(right, count: 20)
        let sums = try left.transfer(1_000_000, to: right, port: 5001)
        #expect(sums.sent == sums.received)
        try eventually("VXLAN carries", within: .seconds(20)) {
          let text = try a.ask(["status", "connections"]).output
          return text.contains("fastdp") && text.contains("host2")
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func thirdHostIsFoundThroughTheSecond() throws {
      try MeshBed.run { bed in
        for (number, peers) in [(1, []), (2, [1]), (3, [2])] {
          try bed.addHost(number, peers: peers).start()
        }
        try bed.hosts[0].waitUntilConnected(2, 3)
        let containers = try (1...3).map { try bed.attach($0, to: bed.hosts[$0 - 1]) }
        for (from, to) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
          try containers[from].pingEventually(containers[to])
          try containers[from].ping(containers[to], count: 10)
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func hostsThatCannotReachEachOtherAreRelayed() throws {
      try MeshBed.run { bed in
        for (number, peers) in [(1, [2]), (2, []), (3, [2])] {
          try bed.addHost(number, peers: peers)
        }
        let (a, b, c) = (bed.hosts[0], bed.hosts[1], bed.hosts[2])
        try bed.cut((a.namespace, 1), (c.namespace, 3))
        for host in bed.hosts { try host.start() }
        try b.waitUntilConnected(1, 3)
        try a.waitUntilKnown(3)
        try c.waitUntilKnown(3)
        let containers = try (1...3).map { try bed.attach($0, to: bed.hosts[$0 - 1]) }
        try containers[0].pingEventually(containers[2])
        try containers[0].ping(containers[2], count: 20)
        try containers[2].ping(containers[0], count: 20)
        try containers[0].ping(containers[1], count: 20)
        let sums = try containers[2].transfer(1_000_000, to: containers[0], port: 5001)
        #expect(sums.sent == sums.received)
        #expect(try a.report().router.reaches(3, via: 2))
        let text = try a.ask(["status", "connections"]).output
        #expect(text.contains("host2") && text.contains("host3"), "\(text)")
      }
    }

    @Test(.timeLimit(.minutes(5))) func anotherPasswordIsRefusedWithAReason() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2))
        func configure(_ host: TestHost, _ number: Int, peers: [Int], _ word: String) throws {
          let file = host.folder.appendingPathComponent("password")
          try Data(word.utf8).write(to: file)
          try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: file.path)
          try host.writeConfig(
            bed.meshConfig(
              host, number, peers: peers, mesh: "password_file = \"\(file.path)\""))
        }
        try configure(a, 1, peers: [], "one secret")
        try configure(b, 2, peers: [1], "another secret")
        for host in bed.hosts { try host.start() }
        try eventually("the reason is shown", within: .seconds(15)) {
          try b.ask(["status", "connections"]).output.contains("password")
        }
        #expect(try a.report().router.establishedPeers.isEmpty)
        b.stop()
        try configure(b, 2, peers: [1], "one secret")
        try b.start()
        try b.waitUntilConnected(1)
        try a.waitUntilConnected(2)
        #expect(try a.report().router.Encryption)
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        #expect(try a.ask(["status", "connections"]).output.contains("aes256gcm"))
        for host in bed.hosts {
          let shown = host.weftd.map { $0.errors + $0.output } ?? ""
          #expect(!shown.contains("one secret"), "a secret is in the log")
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func hostThatWasKilledComesBackAsItself() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2, peers: [1]))
        for host in bed.hosts { try host.start() }
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        b.kill()
        try b.start()
        try b.waitUntilConnected(1)
        try left.pingEventually(right)
        try a.waitUntilKnown(2)
      }
    }

    @Test(.timeLimit(.minutes(5))) func waysComeBackWithTheUnderlay() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2, peers: [1]))
        for host in bed.hosts { try host.start() }
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        let before = try a.status().losses.underlay
        try a.takeProgramOffUnderlay()
        try eventually("the underlay was opened again", within: .seconds(15)) {
          let status = try a.status()
          return status.losses.underlay > before && status.underlay.state == "up"
        }
        try left.pingEventually(right)
        try left.ping(right, count: 20)
      }
    }

    @Test(.timeLimit(.minutes(5))) func hostThatListensAtItsSecondAddressIsReached() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2))
        try a.namespace.ip("address add \(MeshBed.address(9))/24 dev eth0")
        try a.writeConfig(
          bed.meshConfig(a, 1, mesh: "listen = \"\(MeshBed.address(9))\""))
        try b.writeConfig(bed.meshConfig(b, 2, peers: [9]))
        for host in bed.hosts { try host.start() }
        try b.waitUntilConnected(1)
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        try right.ping(left, count: 10)
      }
    }

    @Test(.timeLimit(.minutes(5))) func forgottenPeerStaysConnectedAndIsNotDialledAgain() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2))
        for host in bed.hosts { try host.start() }
        try b.askMesh("connect", MeshBed.address(1))
        try b.waitUntilConnected(1)
        #expect(try b.report().router.Targets == [MeshBed.address(1)])
        try b.askMesh("forget", MeshBed.address(1))
        #expect(try b.report().router.Targets ?? [] == [])
        try b.waitUntilConnected(1)
        a.stop()
        try eventually("the connection is gone") {
          (try b.report().router.Connections ?? []).isEmpty
        }
        try a.start()
        #expect(try a.report().router.establishedPeers.isEmpty)
        try b.askMesh("connect", "--replace", MeshBed.address(1))
        try b.waitUntilConnected(1)
      }
    }
  }
}

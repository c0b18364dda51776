// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Mesh
import Testing

extension RealHosts {
  /// Real Weave Net routers as full members of a mesh.
  @Suite(.enabled(if: WeaveRouter.program != nil, WeaveRouter.absence))
  struct WeaveRouterTests {
    static let passwords: [String?] = [nil, "a secret of many"]

    /// What a password adds to our configuration and to a router's flags.
    private func secret(_ password: String?, on host: TestHost) throws -> String {
      guard let password else { return "" }
      let file = host.folder.appendingPathComponent("password")
      try Data(password.utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
      return "password_file = \"\(file.path)\""
    }

    private func flags(_ password: String?) -> [String] {
      password.map { ["--password=\($0)"] } ?? []
    }

    private func addHost(
      _ bed: MeshBed, _ number: Int, peers: [Int], _ password: String?, mesh: String = ""
    ) throws -> TestHost {
      let host = try bed.addHost(number)
      let text = try secret(password, on: host) + "\n" + mesh
      try host.writeConfig(bed.meshConfig(host, number, peers: peers, mesh: text))
      return host
    }

    @Test(.timeLimit(.minutes(2)), arguments: passwords, [true, false])
    func connectionIsEstablishedOnBothSides(password: String?, weDial: Bool) throws {
      try MeshBed.run { bed in
        let router = try bed.addRouter(2, peers: weDial ? [] : [1], flags(password))
        let host = try addHost(bed, 1, peers: weDial ? [2] : [], password)
        try host.start()
        try router.start()
        try host.waitUntilConnected(2)
        try router.waitUntilConnected(1)
        let connection = try #require(try router.report().router.Connections?.first)
        #expect(connection.State == "established" && connection.Info.contains("sleeve"))
        #expect(try router.report().router.Encryption == (password != nil))
        try expectEqualPictures(host.report(), router.report())
      }
    }

    @Test(.timeLimit(.minutes(12))) func connectionStays() throws {
      let isSoak = ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1"
      try MeshBed.run { bed in
        let router = try bed.addRouter(2, flags("a secret"))
        let host = try addHost(bed, 1, peers: [2], "a secret")
        try router.start()
        try host.start()
        try host.waitUntilConnected(2)
        try router.waitUntilConnected(1)
        // Longer than the read deadline of both sides, which is a minute.
        Thread.sleep(forTimeInterval: isSoak ? 600 : 70)
        try host.waitUntilConnected(2, within: .seconds(1))
        try router.waitUntilConnected(1, within: .seconds(1))
        #expect(try host.report().router.TerminationCount == 0)
        #expect(try router.report().router.TerminationCount == 0)
      }
    }

    @Test(.timeLimit(.minutes(2))) func anotherPasswordIsRefusedWithAReason() throws {
      try MeshBed.run { bed in
        let router = try bed.addRouter(2, flags("a secret"))
        let host = try addHost(bed, 1, peers: [2], "another secret")
        try router.start()
        try host.start()
        try eventually("the reason is shown", within: .seconds(20)) {
          try host.ask(["status", "connections"]).output.contains("password")
        }
        #expect(try router.report().router.establishedPeers.isEmpty)
      }
    }

    @Test(.timeLimit(.minutes(2)), arguments: passwords)
    func weaveRouterBetweenTwoOfOurs(password: String?) throws {
      try MeshBed.run { bed in
        let router = try bed.addRouter(2, flags(password))
        let (a, c) = (
          try addHost(bed, 1, peers: [2], password), try addHost(bed, 3, peers: [2], password)
        )
        try bed.cut((a.namespace, 1), (c.namespace, 3))
        try router.start()
        for host in [a, c] { try host.start() }
        try router.waitUntilConnected(1, 3)
        try expectChain(ours: [a, c], routers: [router], ends: [(a, 3), (c, 1)])
      }
    }

    @Test(.timeLimit(.minutes(2)), arguments: passwords)
    func ourHostBetweenTwoWeaveRouters(password: String?) throws {
      try MeshBed.run { bed in
        let (a, c) = (
          try bed.addRouter(1, peers: [2], flags(password)),
          try bed.addRouter(3, peers: [2], flags(password))
        )
        let host = try addHost(bed, 2, peers: [], password)
        try bed.cut((a.namespace, 1), (c.namespace, 3))
        try host.start()
        for router in [a, c] { try router.start() }
        try host.waitUntilConnected(1, 3)
        try expectChain(ours: [host], routers: [a, c], ends: [])
      }
    }

    @Test(.timeLimit(.minutes(2))) func forgottenRouterIsConnectedAgainWhenAsked() throws {
      try MeshBed.run { bed in
        let router = try bed.addRouter(2)
        let host = try addHost(bed, 1, peers: [2], nil)
        try router.start()
        try host.start()
        try host.waitUntilConnected(2)
        try host.askMesh("forget", MeshBed.address(2))
        router.stop()
        try eventually("the connection is gone", within: .seconds(70)) {
          (try host.report().router.Connections ?? []).isEmpty
        }
        try router.start()
        #expect((try host.report().router.Connections ?? []).isEmpty)
        try host.askMesh("connect", MeshBed.address(2))
        try host.waitUntilConnected(2)
        try router.waitUntilConnected(1)
        // The same from the other side.
        try host.askMesh("forget", MeshBed.address(2))
        host.stop()
        try host.writeConfig(bed.meshConfig(host, 1))
        try host.start()
        _ = try router.ask("POST", "/connect?peer=\(MeshBed.address(1))")
        try router.waitUntilConnected(1)
        try host.waitUntilConnected(2)
      }
    }

    // MARK: Judging

    private func expectChain(
      ours: [TestHost], routers: [WeaveRouter], ends: [(TestHost, Int)]
    ) throws {
      for host in ours { try host.waitUntilKnown(3) }
      for router in routers { try router.waitUntilKnown(3) }
      for router in routers {
        for host in ours { try expectEqualPictures(host.report(), router.report()) }
      }
      for (host, other) in ends {
        #expect(try host.report().router.reaches(other, via: 2))
      }
    }

    /// Both know the same of everybody, and the router's own routes are those that we compute for
    /// it.
    private func expectEqualPictures(
      _ ours: @autoclosure () throws -> MeshReportJSON,
      _ theirs: @autoclosure () throws -> MeshReportJSON
    ) throws {
      var difference = "no answer"
      do {
        try eventually("both have the same picture", within: .seconds(40)) {
          let (ours, theirs) = (try ours().router, try theirs().router)
          difference = try pictureDifference(ours, theirs)
          return difference.isEmpty
        }
      } catch {
        Issue.record("\(difference)")
        throw error
      }
    }

    private func pictureDifference(
      _ ours: MeshReportJSON.Router, _ theirs: MeshReportJSON.Router
    ) throws -> String {
      func picture(_ router: MeshReportJSON.Router) -> [String] {
        router.Peers.map { peer in
          let connections = (peer.Connections ?? []).map {
            "\($0.Name) \($0.Outbound) \($0.Established)"
          }
          return "\(peer.Name) \(peer.UID) \(peer.ShortID) \(peer.Version) \(connections.sorted())"
        }.sorted()
      }
      guard picture(ours) == picture(theirs) else {
        return "pictures: \(picture(ours)) and \(picture(theirs))"
      }
      let computed = try routes(of: theirs)
      guard computed.unicast == Set(theirs.UnicastRoutes) else {
        return "unicast: \(computed.unicast) and \(theirs.UnicastRoutes)"
      }
      for route in theirs.BroadcastRoutes
      where computed.broadcast(route.Source) != (route.Via ?? []).sorted() {
        return "broadcast of \(route.Source): \(route.Via ?? [])"
      }
      return ""
    }

    /// What we would compute in a router's place from its own picture.
    private func routes(
      of router: MeshReportJSON.Router
    ) throws -> (
      unicast: Set<MeshReportJSON.Router.Unicast>, broadcast: (String) -> [String]
    ) {
      let descriptions = try router.Peers.map { peer in
        PeerDescription(
          name: try #require(PeerName(peer.Name)), nickname: peer.NickName, uid: peer.UID,
          version: peer.Version, shortID: ShortID(peer.ShortID),
          connections: try (peer.Connections ?? []).map {
            .init(
              peer: try #require(PeerName($0.Name)), address: $0.Address,
              isOutbound: $0.Outbound, isEstablished: $0.Established)
          })
      }
      let own = try #require(descriptions.first { $0.name.description == router.Name })
      let others = descriptions.filter { $0.name != own.name }
      var topology = Topology(own: own)
      var random = SystemRandomNumberGenerator()
      _ = topology.merge(TopologyUpdate(peers: others), random: &random)
      for connection in own.connections {
        guard let remote = others.first(where: { $0.name == connection.peer }) else { continue }
        topology.addConnection(
          to: remote, address: connection.address, isOutbound: connection.isOutbound)
        topology.setEstablished(connection.isEstablished, with: connection.peer)
      }
      let routes = Routes(topology, edges: .established)
      var unicast = Set(
        routes.unicast.map {
          MeshReportJSON.Router.Unicast(Dest: "\($0.key)", Via: "\($0.value)")
        })
      unicast.insert(
        MeshReportJSON.Router.Unicast(Dest: router.Name, Via: "\(PeerName.unknown)"))
      return (
        unicast,
        { source in
          var routes = routes
          return PeerName(source).map { routes.broadcast(from: $0).map(\.description).sorted() }
            ?? []
        }
      )
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Hosts with a password: how frames are sealed, and what a change of keys and passwords costs.
  @Suite struct EncryptionTests {
    @Test(.timeLimit(.minutes(5))) func framesTravelAsVXLANInESP() throws {
      try MeshBed.run { bed in
        let (left, right) = try Self.start(bed)
        let capture = try bed.captureOnWire()
        try left.ping(right, count: 20)
        for (from, to) in [(left, right), (right, left)] {
          let sums = try from.transfer(transferLength, to: to, port: 5001)
          #expect(sums.sent == sums.received)
        }
        #expect(try capture.frames("esp").count > 100)
        // Sleeve's heartbeats are datagrams, and sealed; no frame is in clear.
        #expect(try capture.frames("vxlan || udp.port == 6784").isEmpty)
        #expect(try capture.frames("_ws.malformed").isEmpty)
        for host in bed.hosts {
          let connection = try #require(try host.connections().first)
          let security = try #require(connection.security)
          #expect(security.suite == "aes256gcm" && security.packets == "esp")
          #expect(security.sealed > 100 && security.opened > 100)
          #expect(security.refused == ["not_authentic": 0, "replayed": 0])
          try Self.expectNothingRefused(host)
        }
        let text = try bed.hosts[0].ask(["status", "connections"]).output
        #expect(text.contains("aes256gcm") && text.contains("fastdp"), "\(text)")
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["aes256gcm", "chacha20poly1305", "secretbox"])
    func sleeveCarriesFramesWhereESPDoesNotPass(cipher: String) throws {
      try MeshBed.run { bed in
        try bed.dropESPOnWire()
        let (left, right) = try Self.start(
          bed, mesh: "cipher = \"\(cipher)\"\nrekey_seconds = 1\n", overlay: "sleeve")
        try left.ping(right, count: 20)
        let sums = try left.transfer(1_000_000, to: right, port: 5001)
        #expect(sums.sent == sums.received)
        let pings = try left.startPings(right, every: "0.005")
        Thread.sleep(forTimeInterval: 4)
        try Self.expectNothingLost(pings, atLeast: 100)
        for host in bed.hosts {
          let security = try #require(try host.connections().first?.security)
          #expect(security.suite == cipher && security.packets == "sleeve")
          try Self.expectNothingRefused(host)
        }
      }
    }

    @Test(.timeLimit(.minutes(15)), arguments: [1, 2])
    func nothingIsLostWhileKeysAreRenewedEverySecond(workers: Int) throws {
      let isSoak = ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1"
      try MeshBed.run { bed in
        let (left, right) = try Self.start(
          bed, mesh: "rekey_seconds = 1\n", workers: workers)
        // Else a window of TCP could be more than the rings between two hosts hold.
        for container in [left, right] {
          try container.namespace.run(
            ["sysctl", "-q", "-w", "net.ipv4.tcp_rmem=4096 65536 131072"])
        }
        let pings = try (0..<4).map { _ in
          try left.startPings(right, every: isSoak ? "0.02" : "0.002", length: 700)
        }
        try Self.transferUntilKeysAreRenewed(
          right, left, bed.hosts, atLeast: .seconds(isSoak ? 600 : 5))
        for ping in pings { try Self.expectNothingLost(ping, atLeast: 200) }
        for host in bed.hosts {
          let security = try #require(try host.connections().first?.security)
          #expect(security.packets == "esp" && security.key_age_seconds <= 3)
          try Self.expectNothingRefused(host)
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func passwordChangesHostByHostUnderPings() throws {
      try MeshBed.run { bed in
        for (number, peers) in [(1, []), (2, [1]), (3, [1, 2])] {
          try bed.addHost(number, peers: peers, password: "the old one").start()
        }
        let hosts = bed.hosts
        try hosts[0].waitUntilConnected(2, 3)
        try hosts[1].waitUntilConnected(1, 3)
        let containers = try (1...3).map { try bed.attach($0, to: hosts[$0 - 1]) }
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
          try containers[from].pingEventually(containers[to])
        }
        for host in hosts { try Self.waitFor(host, overlay: "fastdp") }
        let pings = try [(0, 1), (1, 2), (2, 0)].map { from, to in
          try containers[from].startPings(containers[to], every: "0.005")
        }
        for step in [("the old one", ["the new one"]), ("the new one", ["the old one"])] {
          for host in hosts { try Self.setPasswords(step.0, step.1, of: host, in: bed) }
        }
        for host in hosts { try Self.setPasswords("the new one", [], of: host, in: bed) }
        // What only knows the old one by now would have been cut off.
        Thread.sleep(forTimeInterval: 12)
        for (host, others) in zip(hosts, [[2, 3], [1, 3], [1, 2]]) {
          for other in others { try host.waitUntilConnected(other) }
        }
        for ping in pings { try Self.expectNothingLost(ping, atLeast: 1000) }
        let stranger = try bed.addHost(4, peers: [1], password: "the old one")
        try stranger.start()
        try eventually("the old password is refused", within: .seconds(20)) {
          try stranger.ask(["status", "connections"]).output.contains("password")
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func hostsWithoutACommonCipherTellWhy() throws {
      try MeshBed.run { bed in
        let ciphers = [(1, [], "aes256gcm"), (2, [1], "chacha20poly1305")]
        for (number, peers, cipher) in ciphers {
          try bed.addHost(
            number, peers: peers, password: "a secret", mesh: "cipher = \"\(cipher)\"\n"
          ).start()
        }
        try eventually("the reason is told", within: .seconds(20)) {
          let text = try bed.hosts[1].ask(["status", "connections"]).output
          return text.contains("aes256gcm") && text.contains("chacha20poly1305")
        }
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [nil, "a secret"])
    func hostsWhoseContainersHaveOtherMTUsStayOnVXLAN(password: String?) throws {
      try MeshBed.run { bed in
        let a = try bed.addHost(1, password: password)
        let b = try bed.addHost(2, peers: [1], password: password, overlayMTU: 1300)
        for host in bed.hosts { try host.start() }
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        for host in bed.hosts { try Self.waitFor(host, overlay: "fastdp") }
        // A slow start may have gone by sleeve until then.
        let before = bed.hosts.map(Self.overlayChanges)
        // Longer than a silence is borne: each end still hears the other's heartbeats.
        Thread.sleep(forTimeInterval: 11)
        for (host, before) in zip(bed.hosts, before) {
          try Self.waitFor(host, overlay: "fastdp")
          #expect(Self.overlayChanges(host) == before)
          #expect(try host.status().dropped("tooLongForUnderlay") == 0)
        }
        try left.ping(right, count: 20)
      }
    }

    // MARK: Parts

    /// Two hosts with a password and a container each that reach each other by an overlay.
    private static func start(
      _ bed: MeshBed, mesh: String = "", overlay: String = "fastdp", workers: Int = 1
    ) throws -> (TestContainer, TestContainer) {
      let a = try bed.addHost(1, password: "a secret", mesh: mesh)
      let b = try bed.addHost(2, peers: [1], password: "a secret", mesh: mesh)
      for host in bed.hosts {
        if workers > 1 { try setCores(Array(0..<workers), of: host) }
        try host.start()
      }
      let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
      try left.pingEventually(right)
      for host in bed.hosts { try waitFor(host, overlay: overlay) }
      return (left, right)
    }

    /// How often a host has said that frames take another way now.
    private static func overlayChanges(_ host: TestHost) -> Int {
      (host.weftd?.errors ?? "").components(separatedBy: "overlay changed").count - 1
    }

    private static func waitFor(_ host: TestHost, overlay: String) throws {
      try eventually("\(overlay) carries", within: .seconds(20)) {
        let connections = try host.connections()
        return !connections.isEmpty && connections.allSatisfy { $0.overlay == overlay }
      }
    }

    /// Writes other cores into a host's file; there are no more than the machine has.
    private static func setCores(_ cores: [Int], of host: TestHost) throws {
      let usable = cores.prefix(ProcessInfo.processInfo.activeProcessorCount).map(String.init)
      let text = try String(contentsOfFile: host.configFile, encoding: .utf8)
      let line = "cores = [\(host.place.core)]"
      try #require(text.contains(line), "\(text)")
      try host.writeConfig(
        text.replacingOccurrences(of: line, with: "cores = [\(usable.joined(separator: ", "))]"))
    }

    /// Transfers from one container to the other, one after the other, for at least that long and
    /// until each host has sent with three keys, each one certainly another one.
    private static func transferUntilKeysAreRenewed(
      _ from: TestContainer, _ to: TestContainer, _ hosts: [TestHost], atLeast time: Duration
    ) throws {
      let start = ContinuousClock.now
      var ages = try hosts.map { try KeyAges($0) }
      var number = 0
      while ContinuousClock.now - start < time || ages.contains(where: { $0.renewalCount < 2 }) {
        try #require(ContinuousClock.now - start < time + .seconds(60), "keys are not renewed")
        let sums = try from.transfer(16_000_000, to: to, port: 5001 + number % 1000)
        #expect(sums.sent == sums.received)
        number += 1
        for (index, host) in hosts.enumerated() { try ages[index].look(at: host) }
      }
    }

    /// How often a host was seen with another key.
    private struct KeyAges {
      private(set) var renewalCount = 0
      /// When the last key that is known for certain was made at the latest.
      private var madeAt: ContinuousClock.Instant

      init(_ host: TestHost) throws { madeAt = try Self.bounds(host).upperBound }

      mutating func look(at host: TestHost) throws {
        let made = try Self.bounds(host)
        guard made.lowerBound > madeAt else { return }
        renewalCount += 1
        madeAt = made.upperBound
      }

      /// When the key of now was made: its age is told in whole seconds.
      private static func bounds(
        _ host: TestHost
      ) throws -> ClosedRange<ContinuousClock.Instant> {
        let asked = ContinuousClock.now
        let security = try #require(try host.connections().first?.security)
        let age = Duration.seconds(security.key_age_seconds)
        return (asked - age - .seconds(1))...(ContinuousClock.now - age)
      }
    }

    /// Has a host read other passwords; its connections go on.
    private static func setPasswords(
      _ primary: String, _ others: [String], of host: TestHost, in bed: MeshBed
    ) throws {
      _ = try host.writePassword(primary)
      let files = try others.enumerated().map { number, word in
        let file = host.folder.appendingPathComponent("accepted\(number)")
        try Data(word.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        return "\"\(file.path)\""
      }
      let list = "accepted_password_files = [\(files.joined(separator: ", "))]"
      let file = URL(fileURLWithPath: host.configFile)
      let kept = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        .filter { !$0.contains("accepted_password_files") }
      let text = kept.flatMap { $0.hasPrefix("[mesh]") ? [String($0), list] : [String($0)] }
      try host.writeConfig(text.joined(separator: "\n") + "\n")
      let process = try #require(host.weftd)
      let before = process.errors.ranges(of: "reloaded changed=").count
      process.send(SIGHUP)
      try eventually("the passwords are read", within: .seconds(10)) {
        process.errors.ranges(of: "reloaded changed=").count > before
      }
    }

    /// Ends pings, which had every answer, each once, however late; the last ones may have been
    /// under way, so that answers count which another one came behind.
    private static func expectNothingLost(_ ping: RunningProcess, atLeast count: Int) throws {
      #expect(ping.stop(with: SIGINT) == 0)
      let output = ping.output
      let summary = output.split(separator: "\n").last { $0.contains("transmitted") } ?? ""
      let numbers = output.split(separator: "\n").compactMap { line in
        line.split(separator: " ").first { $0.hasPrefix("icmp_seq=") }
          .flatMap { Int($0.dropFirst("icmp_seq=".count)) }
      }
      let missing = Set(1...max(1, numbers.max() ?? 1)).subtracting(numbers).sorted()
      #expect(numbers.count >= count && missing.isEmpty, "\(summary) without \(missing)")
      #expect(!output.contains("DUP!"), "\(summary)")
    }

    /// No packet of the other host was refused, and none of ours lacked a key.
    private static func expectNothingRefused(_ host: TestHost) throws {
      let status = try host.status()
      for reason in ["notAuthentic", "replayed", "notSealed", "securityUnknown", "keyMissing"] {
        #expect(status.dropped(reason) == 0, "\(reason)")
      }
    }
  }
}

extension TestContainer {
  /// Begins to ping another container until it is told to stop; each answer is told with its
  /// number, of which there are 65,535.
  fileprivate func startPings(
    _ other: TestContainer, every interval: String, length: Int = 56
  ) throws -> RunningProcess {
    try namespace.start(
      words("ping -n -i \(interval) -s \(length) -W 10 \(other.address)"))
  }
}

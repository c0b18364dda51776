// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// What the end of weftd does to the host and to its containers.
  @Suite struct RestartTests {
    @Test(.timeLimit(.minutes(5))) func killedDaemonCostsTheHostNoPing() throws {
      try Testbed.run(containers: 1) { bed in
        let ping = try bed.a.namespace.start(
          words("ping -n -q -i 0.02 -c 150 -W 10 \(TestHost.Place.b.address)"))
        Thread.sleep(forTimeInterval: 1)
        bed.a.kill()
        #expect(ping.wait(.seconds(10)) == 0)
        #expect(ping.output.contains("150 packets transmitted, 150 received, 0% packet loss"))
        #expect(!ping.output.contains("duplicates"))
      }
    }

    @Test(.timeLimit(.minutes(5)))
    func containersStayAttachedOverAKillAndTrafficResumesWithinTwoSeconds() throws {
      try Testbed.run(containers: 2) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        let attached = try bed.a.attachments().map(\.mac).sorted()
        let interface = try #require(one.interface)
        let addresses = try one.namespace.addresses(of: interface)

        bed.a.kill()
        #expect(try one.namespace.addresses(of: interface) == addresses)
        try bed.a.start()
        try one.pingUntilAnswered(other)
        try other.pingUntilAnswered(one)
        try one.pingUntilAnswered(bed.containersOfA[1])

        let found = try bed.a.attachments()
        #expect(found.map(\.mac).sorted() == attached)
        #expect(found.allSatisfy { $0.state == "attached" }, "\(found)")
        #expect(try one.namespace.addresses(of: interface) == addresses)
        #expect(addresses == [one.prefix])
      }
    }

    @Test(.timeLimit(.minutes(5))) func cleanStopLeavesNothing() throws {
      try Testbed.run(containers: 2) { bed in
        try bed.containersOfA[0].ping(bed.containersOfB[0])
        try Testbed.expectBalance(bed.a)
        let weftd = try #require(bed.a.weftd)
        let objects = try KernelObjects(of: weftd.id, in: bed.a.namespace)
        #expect(objects.programs.count >= 1, "no program was seen while weftd ran")
        #expect(bed.a.stop() == 0, "\(weftd.errors)")

        #expect(!weftd.isRunning)
        #expect(!FileManager.default.fileExists(atPath: bed.a.socket))
        try eventually("the kernel frees weftd's programs and maps", within: .seconds(5)) {
          try objects.remaining().isEmpty
        }
        try expectNoTrace(on: bed.a.namespace)
        for container in bed.containersOfA {
          #expect(try container.namespace.interfaces() == [])
        }
      }
    }

    private func expectNoTrace(on host: TestNamespace) throws {
      #expect(try host.interfaces() == ["eth0"])
      let links = try host.links()
      #expect(links.allSatisfy { $0["xdp"] == nil && $0["prog"] == nil }, "\(links)")
      let neighbours = try host.ip("neigh show")
      #expect(!neighbours.contains("managed"), "\(neighbours)")
      // Older tools cannot list AF_XDP sockets.
      let sockets = try attempt(host.command(words("ss -H --xdp")))
      #expect(sockets.status != 0 || sockets.output.isEmpty, "\(sockets)")
    }
  }
}

/// What a process holds in the kernel's BPF subsystem, by the kernel's numbers.
struct KernelObjects {
  private(set) var programs: Set<Int> = []
  private(set) var maps: Set<Int> = []
  private(set) var links: Set<Int> = []

  /// Nothing yet.
  init() {}

  /// Adds what another look has found.
  mutating func add(_ others: KernelObjects) {
    programs.formUnion(others.programs)
    maps.formUnion(others.maps)
    links.formUnion(others.links)
  }

  /// Looks at the program on one interface.
  init(ofInterface name: String, in host: TestNamespace) throws {
    for link in try host.links() where link["ifname"] as? String == name {
      let program = (link["xdp"] as? [String: Any])?["prog"] as? [String: Any]
      if let number = program?["id"] as? Int { programs.insert(number) }
    }
  }

  /// Looks at the process's descriptors and at the programs on its host's interfaces.
  init(of process: pid_t, in host: TestNamespace) throws {
    let folder = "/proc/\(process)/fdinfo"
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      // A descriptor may be closed in the meantime.
      guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      else { continue }
      for line in text.split(separator: "\n") {
        let words = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
        guard words.count == 2, let number = Int(words[1]) else { continue }
        switch words[0] {
        case "prog_id": programs.insert(number)
        case "map_id": maps.insert(number)
        case "link_id": links.insert(number)
        default: break
        }
      }
    }
    for link in try host.links() {
      let program = (link["xdp"] as? [String: Any])?["prog"] as? [String: Any]
      if let number = program?["id"] as? Int { programs.insert(number) }
    }
  }

  /// Those of them that are still there.
  func remaining() throws -> [String] {
    try [("prog", programs), ("map", maps), ("link", links)].flatMap { kind, numbers in
      let there = try list(json: try run("bpftool -j \(kind) show")).compactMap { $0["id"] as? Int }
      return numbers.intersection(there).map { "\(kind) \($0)" }
    }
  }
}

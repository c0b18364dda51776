// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Two hosts that are connected, a container on each that pings the other, and an attacker on the
/// same wire.
final class Siege {
  /// How much a weftd holds.
  struct Holding {
    /// Memory in KiB.
    var memory = 0
    var descriptors = 0
    var logLines = 0

    init() {}

    init(_ weftd: RunningProcess) throws {
      let status = try String(contentsOfFile: "/proc/\(weftd.id)/status", encoding: .utf8)
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
      memory = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      descriptors = try weftd.descriptors().count
      logLines = weftd.errors.count { $0 == "\n" } + weftd.output.count { $0 == "\n" }
    }

    /// The larger of each.
    func most(_ other: Holding) -> Holding {
      var most = self
      most.memory = max(memory, other.memory)
      most.descriptors = max(descriptors, other.descriptors)
      most.logLines = max(logLines, other.logLines)
      return most
    }
  }

  /// What strangers may make a weftd hold, beyond what it held before.
  private static let memoryMax = 64 << 10
  private static let descriptorsMax = 64
  private static let logLinesMax = 150

  private static let seed = UInt64.random(in: 0...UInt64(UInt32.max))

  /// The host that is attacked; the other one has dialled it.
  let host: TestHost
  let other: TestHost
  private let attacker: TestNamespace
  private let ping: RunningProcess
  private let before: Holding
  private var most = Holding()
  private let connection: String
  private let terminations: UInt64

  private init(_ bed: MeshBed) throws {
    (host, other) = (try bed.addHost(1), try bed.addHost(2, peers: [1]))
    attacker = try bed.addStranger(3)
    for host in bed.hosts { try host.start() }
    try host.waitUntilConnected(2)
    try other.waitUntilConnected(1)
    let (left, right) = (try bed.attach(1, to: host), try bed.attach(2, to: other))
    try left.pingEventually(right)
    ping = try left.namespace.start(words("ping -n -i 0.05 -W 5 \(right.address)"))
    try ping.expect("bytes from")
    connection = try Self.connection(host)
    terminations = try other.report().router.TerminationCount
    before = try Holding(#require(host.weftd))
  }

  /// Runs attacks, and then requires that they did nobody any harm.
  static func run(_ attacks: (Siege) throws -> Void) throws {
    try MeshBed.run { bed in
      let siege = try Siege(bed)
      do {
        try attacks(siege)
        try siege.end()
      } catch {
        Issue.record("with the seed \(seed)")
        throw error
      }
    }
  }

  /// The attacked host's own words for its connection with the other one, its port included.
  private static func connection(_ host: TestHost) throws -> String {
    let router = try host.report().router
    let own = router.Peers.first { $0.Name == router.Name }
    let found = own?.Connections?.first { $0.Name == MeshBed.name(2) && $0.Established }
    return try #require(found?.Address, "the hosts are not connected")
  }

  // MARK: Attacks

  /// An attack that goes on.
  struct Attack {
    let role: String
    let process: RunningProcess
  }

  /// Begins an attack: one of the roles of `Attacker`.
  func start(_ role: String, _ arguments: String...) throws -> Attack {
    let words = Attacker.command(role, host.place.address, ["\(Self.seed)"] + arguments)
    return Attack(role: role, process: try attacker.start(words))
  }

  /// Waits for the end of attacks and looks meanwhile at what the attacked weftd holds.
  func wait(for attacks: Attack...) throws {
    while attacks.contains(where: \.process.isRunning) {
      most = most.most(try Holding(#require(host.weftd)))
      Thread.sleep(forTimeInterval: 0.1)
    }
    for attack in attacks {
      let code = attack.process.wait(.zero)
      try #require(code == 0, "\(attack.role) ended with an error: \(attack.process.errors)")
      print("\(attack.role): \(attack.process.output)", terminator: "")
    }
  }

  /// Sessions refused so far for a reason.
  func refused(_ reason: String) throws -> UInt64 {
    try host.status().mesh?.refusals[reason] ?? 0
  }

  // MARK: What is left of them

  private func end() throws {
    let weftd = try #require(host.weftd)
    ping.send(SIGINT)
    #expect(ping.wait(.seconds(10)) == 0, "\(ping.output.suffix(300))")
    try TestContainer.expectNothingLost(ping)
    #expect(weftd.isRunning && other.weftd?.isRunning == true)
    #expect(try Self.connection(host) == connection, "it is another connection")
    #expect(try other.report().router.TerminationCount == terminations)
    try eventually("what strangers opened is closed", within: .seconds(30)) {
      try Holding(weftd).descriptors <= before.descriptors
    }
    let after = try Holding(weftd)
    most = most.most(after)
    print("before: \(before)\nat most: \(most)\nafter: \(after)")
    print("refusals: \(try host.status().mesh?.refusals ?? [:])")
    #expect(most.memory <= before.memory + Self.memoryMax)
    #expect(most.descriptors <= before.descriptors + Self.descriptorsMax)
    #expect(after.logLines <= before.logLines + Self.logLinesMax)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

extension RealHosts {
  /// weftd is killed again and again, at any moment.
  @Suite struct KillTests {
    @Test(.timeLimit(.minutes(10))) func killsAtRandomMomentsLoseNothingThatWasAcknowledged() throws
    {
      let environment = ProcessInfo.processInfo.environment
      let seed = environment["WEFT_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...999_999)
      let count = environment["WEFT_SOAK"] == nil ? 50 : 300
      try Testbed.run(
        containers: 0, configure: { _ = try $0.a.writeConfig($0.a.config(onStop: "keep")) }
      ) { bed in
        let remote = try TestContainer(101)
        try bed.b.attach(remote)
        let ping = try bed.a.namespace.start(
          words("ping -n -q -i 0.02 -W 10 \(TestHost.Place.b.address)"))
        var killing = try Killing(bed.a, remote, seed: seed)
        do {
          for _ in 0..<count { try killing.killOnce() }
          try killing.stopForGood()
        } catch {
          throw TestbedError("WEFT_SEED=\(seed), \(killing.history.suffix(3)): \(error)")
        }
        ping.stop(with: SIGINT)
        try TestContainer.expectNothingLost(ping, "WEFT_SEED=\(seed)")
      }
    }
  }
}

/// One host whose weftd is killed over and over, and what its containers were promised.
private struct Killing {
  /// What weftd is doing when it is killed.
  private enum Moment: CaseIterable { case start, attachOrDetach, traffic, stop }

  private let host: TestHost
  private let remote: TestContainer
  private var random: SeededGenerator
  private let containers: [TestContainer]
  /// Containers that were told that they are attached.
  private var promised: Set<String> = []
  /// Containers about which nobody was told anything: both is right.
  private var open: Set<String> = []
  private var objects = KernelObjects()
  /// What was done, for messages.
  private(set) var history: [String] = []

  init(_ host: TestHost, _ remote: TestContainer, seed: UInt64) throws {
    self.host = host
    self.remote = remote
    random = SeededGenerator(seed: seed)
    containers = try (1...4).map { try TestContainer($0) }
  }

  /// Has weftd do something, kills it meanwhile, starts it again and looks at what is there.
  mutating func killOnce() throws {
    // Requests change most, and so are half of it.
    let moment =
      Bool.random(using: &random)
      ? .attachOrDetach : Moment.allCases.randomElement(using: &random) ?? .traffic
    let container = containers.randomElement(using: &random) ?? containers[0]
    // Programs are quick or slow depending on how they were built.
    let longest = [20, 60, moment == .start ? 600 : 150].randomElement(using: &random) ?? 60
    let milliseconds = Double.random(in: 0...Double(longest), using: &random)
    history.append("\(moment) of \(container.prefix) killed after \(milliseconds) ms")
    let isPromised = promised.contains(container.prefix)
    var asked: RunningProcess?
    switch moment {
    case .start:
      host.kill()
      try host.launch()
    case .attachOrDetach:
      let netns = ["--netns", container.namespace.path]
      asked = try host.startAsking(
        isPromised ? ["detach"] + netns : ["attach"] + netns + [container.prefix])
      promised.remove(container.prefix)
      open.insert(container.prefix)
    case .traffic:
      asked = try container.namespace.start(
        words("ping -n -q -i 0.002 -c 100 -W 1 \(remote.address)"))
    case .stop: host.weftd?.send(SIGTERM)
    }
    Thread.sleep(forTimeInterval: milliseconds / 1000)
    host.kill()
    let answer = asked?.wait(.seconds(15))
    history[history.count - 1] += answer.map { ", answer \($0)" } ?? ""
    if answer == 0, moment == .attachOrDetach {
      open.remove(container.prefix)
      if !isPromised { promised.insert(container.prefix) }
    }
    try killAndStart()
  }

  private mutating func killAndStart() throws {
    host.kill()
    try host.start()
    if let weftd = host.weftd {
      objects.add(try KernelObjects(of: weftd.id, in: host.namespace))
    }
    try look()
  }

  /// Every promise is kept, and there is nothing half made.
  private mutating func look() throws {
    let found = try host.attachments()
    try require(found.allSatisfy { $0.state == "attached" }, "\(found)")
    let addresses = Set(found.flatMap(\.addresses))
    try require(found.count == addresses.count, "\(found)")
    try require(promised.isSubset(of: addresses), "\(promised) of \(addresses) are attached")
    try require(addresses.isSubset(of: promised.union(open)), "\(addresses) are attached")
    for container in containers {
      let isAttached = addresses.contains(container.prefix)
      let interfaces = try container.namespace.interfaces()
      try require(
        interfaces == (isAttached ? ["ethwe"] : []), "\(container.prefix) has \(interfaces)")
      guard isAttached else { continue }
      let its = try container.namespace.addresses(of: "ethwe")
      try require(its == [container.prefix], "\(container.prefix) has \(its)")
    }
    promised = addresses
    open = []
    let ours = ["eth0", "weft0", "weft0-sw"] + found.map(\.host_interface)
    let there = try host.namespace.interfaces()
    try require(there == ours.sorted(), "the host has \(there)")
    let neighbours = try host.namespace.ip("neigh show").split(separator: "\n")
    try require(neighbours.filter { $0.contains("managed") }.count <= 1, "\(neighbours)")
    if let container = containers.first(where: { addresses.contains($0.prefix) }) {
      try container.pingEventually(remote)
    }
    try require(try host.status().losses.attachments == 0, "something was lost")
  }

  /// An orderly stop leaves nothing at all.
  mutating func stopForGood() throws {
    host.stop()
    try host.writeConfig(host.config(onStop: "remove"))
    try killAndStart()
    let weftd = host.weftd
    let code = host.stop()
    try require(code == 0, "weftd ended with \(code ?? -1)")
    let errors = weftd?.errors ?? ""
    try require(!errors.contains(" error "), errors)
    let there = try host.namespace.interfaces()
    try require(there == ["eth0"], "the host has \(there)")
    for container in containers {
      let interfaces = try container.namespace.interfaces()
      try require(interfaces == [], "\(container.prefix) has \(interfaces)")
    }
    let neighbours = try host.namespace.ip("neigh show")
    try require(!neighbours.contains("managed"), neighbours)
    try require(!FileManager.default.fileExists(atPath: host.socket), "the socket's file is there")
    let objects = objects
    try eventually("the kernel frees all programs and maps", within: .seconds(10)) {
      try objects.remaining().isEmpty
    }
  }

  private func require(_ isTrue: Bool, _ otherwise: String) throws {
    if !isTrue { throw TestbedError("\(otherwise)\n\(host.weftd?.errors ?? "")") }
  }
}

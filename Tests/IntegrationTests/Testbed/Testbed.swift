// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Two hosts and the wire between them.
///
/// A test gets one from `run`, which at the end looks at the accounts of every weftd and takes
/// everything away again.
final class Testbed {
  let a: TestHost
  let b: TestHost
  /// The containers on each host, in the order they were attached.
  private(set) var containersOfA: [TestContainer] = []
  private(set) var containersOfB: [TestContainer] = []

  var containers: [TestContainer] { containersOfA + containersOfB }

  private init() throws {
    a = try TestHost(.a)
    b = try TestHost(.b)
    try Self.connect((a.namespace, .a), (b.namespace, .b))
  }

  /// Runs a test with two hosts whose weftd serves, each with this many attached containers.
  ///
  /// `configure` may write other config files than the usual ones; endpoints that are not there
  /// must not be waited for.
  static func run(
    containers count: Int, configure: (Testbed) throws -> Void = { _ in },
    waitsForEndpoints: Bool = true, _ test: (Testbed) throws -> Void
  ) throws {
    try requireRoot()
    let bed = try Testbed()
    defer { bed.stop() }
    do {
      try configure(bed)
      for host in [bed.a, bed.b] { try host.start() }
      if waitsForEndpoints {
        for host in [bed.a, bed.b] { try host.waitUntilResolved() }
      }
      try bed.attach(count)
      try test(bed)
      for host in [bed.a, bed.b] where host.weftd != nil { try expectBalance(host) }
    } catch {
      bed.tellLogs()
      throw error
    }
  }

  /// Runs a test with weftd on host A and the kernel as host B, with one container each.
  static func runWithKernel(
    _ test: (_ host: TestHost, _ kernel: KernelHost, _ pair: (TestContainer, TestContainer)) throws
      -> Void
  ) throws {
    try requireRoot()
    let host = try TestHost(.a)
    let kernel = try KernelHost(.b)
    try connect((host.namespace, .a), (kernel.namespace, .b))
    let pair = (try TestContainer(1), try TestContainer(2))
    defer { host.stop() }
    do {
      try host.start()
      try host.attach(pair.0)
      try kernel.start()
      try kernel.attach(pair.1)
      try host.waitUntilResolved()
      try test(host, kernel, pair)
      try expectBalance(host)
    } catch {
      Issue.record("weftd says:\n\(host.weftd?.errors ?? "nothing: it does not run")")
      throw error
    }
  }

  /// Makes the wire between the two hosts, which have none.
  func connect() throws { try Self.connect((a.namespace, .a), (b.namespace, .b)) }

  /// The wire: a veth pair whose ends are both named `eth0`, with complete frames on it.
  private static func connect(
    _ left: (TestNamespace, TestHost.Place), _ right: (TestNamespace, TestHost.Place)
  ) throws {
    try left.0.ip("link add eth0 mtu 1500 type veth peer name eth0 mtu 1500 netns \(right.0.name)")
    for (namespace, place) in [left, right] {
      try namespace.ip("address add \(place.address)/24 dev eth0")
      try namespace.ip("link set eth0 up")
      try namespace.finishFrames(of: "eth0")
    }
  }

  private func attach(_ count: Int) throws {
    for number in 1...max(1, count) where count > 0 {
      containersOfA.append(try TestContainer(number))
      containersOfB.append(try TestContainer(100 + number))
    }
    for container in containersOfA { try a.attach(container) }
    for container in containersOfB { try b.attach(container) }
  }

  private func stop() {
    for host in [a, b] { host.stop() }
    for container in containers { container.namespace.delete() }
  }

  /// Shows what a person would look at first.
  private func tellLogs() {
    for host in [a, b] {
      let text = host.weftd?.errors ?? "nothing: it does not run"
      Issue.record("weftd on host \(host.place.name) says:\n\(text)")
    }
  }

  /// The accounting identity: every frame is accounted for, and none is held once traffic rests.
  static func expectBalance(
    _ host: TestHost, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var imbalance: String?
    for _ in 0..<200 {
      imbalance = try host.status().imbalance
      if imbalance == nil { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record(
      "accounts of host \(host.place.name): \(imbalance ?? "")", sourceLocation: sourceLocation)
  }

  /// Namespaces, XDP and pinned memory are for root only; a skipped test would look like a
  /// passed one.
  static func requireRoot() throws {
    guard geteuid() == 0 else {
      throw TestbedError("integration tests make network namespaces: run them as root")
    }
  }
}

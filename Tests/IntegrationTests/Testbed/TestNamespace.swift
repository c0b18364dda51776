// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A network namespace with a name of its own, deleted no later than this value ends.
final class TestNamespace {
  private static let count = Atomic<Int>(0)

  /// Its name, as `ip netns` knows it.
  let name: String
  /// The file that stands for it.
  var path: String { "/run/netns/\(name)" }

  /// Makes a namespace whose name ends in `suffix`.
  init(_ suffix: String) throws {
    let number = Self.count.add(1, ordering: .relaxed).newValue
    name = "weft-\(getpid())-\(number)-\(suffix)"
    Leftovers.add(namespace: name)
    try IntegrationTests.run("ip netns add \(name)")
    try ip("link set lo up")
  }

  deinit { delete() }

  /// Deletes it, if it is still there.
  func delete() {
    if (try? attempt(["ip", "netns", "del", name])) != nil { Leftovers.forget(namespace: name) }
  }

  /// Configures it: `ip("link set eth0 up")`.
  @discardableResult
  func ip(_ line: String) throws -> String {
    try IntegrationTests.run(["ip", "-n", name] + words(line))
  }

  /// The words that run a command inside of it.
  func command(_ words: [String]) -> [String] { ["ip", "netns", "exec", name] + words }

  /// Runs a command inside of it that has to succeed; words are separated by blanks.
  @discardableResult
  func run(_ line: String, limit: Duration = .seconds(90)) throws -> String {
    try run(words(line), limit: limit)
  }

  /// Runs a command inside of it that has to succeed.
  @discardableResult
  func run(_ words: [String], limit: Duration = .seconds(90)) throws -> String {
    try IntegrationTests.run(command(words), limit: limit)
  }

  /// Starts a program inside of it.
  func start(_ words: [String]) throws -> RunningProcess {
    try RunningProcess(command(words))
  }

  /// The names of its interfaces, but `lo`.
  func interfaces() throws -> [String] {
    try links().compactMap { $0["ifname"] as? String }.filter { $0 != "lo" }.sorted()
  }

  /// What `ip -j link show` says, with statistics.
  func links() throws -> [[String: Any]] {
    try list(json: try run("ip -j -d -s link show"))
  }

  /// The addresses of an interface as `10.32.0.1/24`.
  func addresses(of interface: String) throws -> [String] {
    let text = try run("ip -j -4 address show dev \(interface)")
    let found = try list(json: text).flatMap { $0["addr_info"] as? [[String: Any]] ?? [] }
    return found.compactMap { info in
      guard let address = info["local"], let length = info["prefixlen"] else { return nil }
      return "\(address)/\(length)"
    }
  }

  /// Takes checksumming and segmentation from the sender's kernel side: frames leave complete.
  func finishFrames(of interface: String) throws {
    try run("ethtool -K \(interface) tx off tso off gso off")
  }
}

/// Reads a list of objects; tools that have nothing to say may also write nothing.
func list(json text: String) throws -> [[String: Any]] {
  if text.allSatisfy(\.isWhitespace) { return [] }
  let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
  guard let objects = value as? [[String: Any]] else {
    throw TestbedError("not a list of objects: \(text)")
  }
  // iproute2 writes an empty object for what a filter left out.
  return objects.filter { !$0.isEmpty }
}

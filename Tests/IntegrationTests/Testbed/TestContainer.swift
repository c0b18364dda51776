// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A container as far as the network is concerned: a namespace and an address.
final class TestContainer {
  /// The subnet of all containers.
  static let prefixLength = 24
  /// The subnet's broadcast address.
  static let broadcast = "10.32.0.255"

  /// Its network.
  let namespace: TestNamespace
  /// Its address, `10.32.0.` and a number.
  let address: String
  /// The interface it was given; nil while it is not attached.
  var interface: String?

  /// The address with the length of its subnet's prefix.
  var prefix: String { "\(address)/\(Self.prefixLength)" }

  /// Makes a container that is to have the address 10.32.0.`number`.
  init(_ number: Int) throws {
    namespace = try TestNamespace("c\(number)")
    address = "10.32.0.\(number)"
  }

  /// Pings and requires an answer.
  func ping(_ other: TestContainer, count: Int = 3) throws {
    try namespace.run("ping -n -q -c \(count) -i 0.01 -W 10 \(other.address)")
  }

  /// Pings until there is one answer: two seconds on a quiet machine.
  func pingUntilAnswered(_ other: TestContainer) throws {
    try namespace.run("ping -n -q -c 1 -i 0.05 -w 10 \(other.address)", limit: .seconds(20))
  }

  /// What a ping that was interrupted counted: no answer missing but that of its last packet, which
  /// may have been under way, and none twice.
  static func expectNothingLost(
    _ ping: RunningProcess, atLeast count: Int = 1, _ comment: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let counts = ping.output.split(separator: "\n").first { $0.contains("transmitted") } ?? ""
    let words = counts.split(separator: " ").map(String.init)
    try #require(words.count > 4, "\(comment) \(ping.output)\(ping.errors)")
    let (sent, received) = (Int(words[0]) ?? 0, Int(words[3]) ?? 0)
    #expect(
      sent >= count && sent - received <= 1, "\(comment) \(counts)",
      sourceLocation: sourceLocation)
    #expect(
      !counts.contains("duplicates"), "\(comment) \(counts)", sourceLocation: sourceLocation)
  }

  /// Pings until there is one answer, for at most ten seconds.
  func pingEventually(_ other: TestContainer) throws {
    try namespace.run("ping -n -q -c 1 -i 0.1 -w 40 \(other.address)", limit: .seconds(60))
  }

  /// Whether a ping of a packet of this many bytes, headers included, comes back; one of `tries`.
  func reaches(_ other: TestContainer, packetOf length: Int, tries: Int = 3) throws -> Bool {
    let line = "ping -n -q -c \(tries) -i 0.2 -W 4 -M do -s \(length - 28) \(other.address)"
    return try attempt(namespace.command(words(line))).status == 0
  }

  /// Starts one of the roles of `Peer`.
  func start(_ role: String, _ arguments: String...) throws -> RunningProcess {
    try namespace.start(Peer.command(role, arguments))
  }

  /// Starts one of the roles of `Peer` that waits for others, and waits until it does.
  func serve(_ role: String, _ arguments: String...) throws -> RunningProcess {
    let process = try namespace.start(Peer.command(role, arguments))
    try process.expect("ready")
    return process
  }

  /// Plays one of the roles of `Peer` to its end.
  @discardableResult
  func play(_ role: String, _ arguments: String...) throws -> String {
    try namespace.run(Peer.command(role, arguments), limit: .seconds(300))
  }

  /// Sends random bytes to another container; returns what both say of number and SHA-256.
  func transfer(
    _ length: Int, to other: TestContainer, port: Int
  ) throws -> (sent: String, received: String) {
    let receiver = try other.serve("receive", other.address, "\(port)")
    let sent = try play("send", other.address, "\(port)", "\(length)")
    try receiver.expect("result")
    _ = receiver.wait(.seconds(20))
    return (result(sent), result(receiver.output))
  }

  private func result(_ output: String) -> String {
    output.split(separator: "\n").last { $0.hasPrefix("result") }.map(String.init) ?? output
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

/// Everything that needs root and namespaces; one test at a time, since some of them count what
/// the whole process holds.
@Suite(.serialized) enum KernelTests {}

/// A network namespace that a test made.
struct TestNamespace: Sendable {
  let name: String

  var path: String { "/run/netns/\(name)" }

  /// Runs the module under test as if the namespace were the host.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(HostNetworkError) -> Value
  ) throws -> Value {
    try NetworkNamespace(path: path).run(body)
  }

  /// Runs `ip` in the namespace.
  @discardableResult
  func ip(_ arguments: String) throws -> String {
    try shell("ip -n \(name) \(arguments)")
  }

  /// Runs a program in the namespace.
  @discardableResult
  func execute(_ command: String) throws -> String {
    try shell("ip netns exec \(name) \(command)")
  }

  /// Asks `ip -j`.
  func ask<Value: Decodable>(_ arguments: String, as: Value.Type = Value.self) throws -> Value {
    let text = try ip("-j -d \(arguments)")
    return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }

  /// The links as `ip` sees them, without the loopback.
  func judgedLinks() throws -> [JudgedLink] {
    try ask("link show", as: [JudgedLink].self).filter { $0.ifname != "lo" }
  }

  func judgedLink(_ name: String) throws -> JudgedLink {
    let links = try judgedLinks()
    return try #require(links.first { $0.ifname == name }, "no \(name) in \(links)")
  }
}

/// A link in the words of `ip -j -d link`.
struct JudgedLink: Decodable {
  struct Information: Decodable {
    let info_kind: String?
  }

  let ifindex: Int32
  let ifname: String
  let ifalias: String?
  let address: String?
  let mtu: Int
  let flags: [String]
  let num_tx_queues: Int?
  let num_rx_queues: Int?
  let inet6_addr_gen_mode: String?
  let linkinfo: Information?
}

struct JudgedAddresses: Decodable {
  struct Address: Decodable {
    let local: String
    let prefixlen: Int
    let broadcast: String?
  }

  let ifname: String
  let addr_info: [Address]
}

struct JudgedRoute: Decodable {
  let dst: String
  let dev: String?
}

struct JudgedNeighbour: Decodable {
  let dst: String
  let lladdr: String?
  let state: [String]
}

/// Lends namespaces with names nobody else has, and removes them whatever happens.
func withNamespaces(_ count: Int = 2, _ body: ([TestNamespace]) throws -> Void) throws {
  var namespaces: [TestNamespace] = []
  defer { for namespace in namespaces { _ = try? shell("ip netns del \(namespace.name)") } }
  for _ in 0..<count {
    let name = "hn-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
    try shell("ip netns add \(name)")
    namespaces.append(TestNamespace(name: name))
    try namespaces[namespaces.count - 1].ip("link set lo up")
  }
  try body(namespaces)
}

/// Two hosts on one cable: `h0` with 10.77.0.1/24 and `p0` with 10.77.0.2/24.
func withHosts(_ body: (TestNamespace, TestNamespace) throws -> Void) throws {
  try withNamespaces { namespaces in
    let (host, peer) = (namespaces[0], namespaces[1])
    try host.ip("link add name h0 type veth peer name p0 netns \(peer.name)")
    try host.ip("addr add 10.77.0.1/24 dev h0")
    try peer.ip("addr add 10.77.0.2/24 dev p0")
    try host.ip("link set dev h0 up")
    try peer.ip("link set dev p0 up")
    try body(host, peer)
  }
}

struct CommandFailure: Error, CustomStringConvertible {
  let description: String
}

/// Runs a command to its end and gives its output.
@discardableResult
func shell(_ command: String) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/sh")
  process.arguments = ["-c", "exec 2>&1; exec \(command)"]
  let pipe = Pipe()
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = pipe
  try process.run()
  let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw CommandFailure(description: "\(command): \(output)")
  }
  return output
}

/// Looks again every 10 ms until there is something, for at most five seconds.
func eventually<Value>(_ look: () throws -> Value?) throws -> Value? {
  for _ in 0..<3000 {
    if let value = try look() { return value }
    usleep(10_000)
  }
  return nil
}

func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }

func prefix(_ text: String) throws -> IPv4Prefix { try #require(IPv4Prefix(text)) }

func mac(_ text: String) throws -> MACAddress { try #require(MACAddress(text)) }

/// The generator of Steele, Lea and Flood's SplitMix64: repeatable from its seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

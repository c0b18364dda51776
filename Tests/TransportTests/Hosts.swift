// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Testing

/// Two hosts with a router in between, in network namespaces of their own.
///
/// `near` is 10.77.0.1 on a link of 1500 bytes, `far` is 10.77.1.2 on one of 1300.
struct Hosts {
  static let near = "10.77.0.1"
  static let far = "10.77.1.2"

  private let names: [String]

  /// Makes the namespaces for the length of `body` and removes them whatever happens.
  static func lend(_ body: (Hosts) throws -> Void) throws {
    let tag = String(UInt32.random(in: 0 ... .max), radix: 16)
    let hosts = Hosts(names: ["n", "r", "f"].map { "tr-\(tag)-\($0)" })
    defer { for name in hosts.names { _ = try? shell("ip netns del \(name)") } }
    let (near, router, far) = (hosts.names[0], hosts.names[1], hosts.names[2])
    for name in hosts.names {
      try shell("ip netns add \(name)")
      try shell("ip -n \(name) link set lo up")
    }
    try cable(from: near, "h0", "\(Self.near)/24", to: router, "r0", "10.77.0.2/24", mtu: 1500)
    try cable(from: far, "h0", "\(Self.far)/24", to: router, "r1", "10.77.1.1/24", mtu: 1300)
    try shell("ip netns exec \(router) sysctl -q -w net.ipv4.ip_forward=1")
    try shell("ip -n \(near) route add 10.77.1.0/24 via 10.77.0.2")
    try shell("ip -n \(far) route add 10.77.0.0/24 via 10.77.1.1")
    try body(hosts)
  }

  /// Opens a transport on the near host.
  func nearStation() throws -> Station { try station(names[0], Self.near) }

  /// Opens a transport on the far host.
  func farStation() throws -> Station { try station(names[2], Self.far) }

  /// Runs something on the near host; threads that it starts stay there.
  func onNear<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
    return try namespace.run { () throws(HostNetworkError) in Result { try body() } }.get()
  }

  /// Has the router complain about every datagram, and not only now and then.
  func liftRouterLimits() throws {
    try shell("ip netns exec \(names[1]) sysctl -q -w net.ipv4.icmp_ratemask=0")
  }

  /// The transport's threads come from this one, and stay where it was when they were started.
  private func station(_ name: String, _ address: String) throws -> Station {
    let namespace = try NetworkNamespace(path: "/run/netns/\(name)")
    return try namespace.run { () throws(HostNetworkError) in
      Result { try Station(address: address) }
    }.get()
  }

  private static func cable(
    from host: String, _ interface: String, _ address: String, to router: String, _ other: String,
    _ otherAddress: String, mtu: Int
  ) throws {
    try shell("ip -n \(host) link add \(interface) type veth peer name \(other) netns \(router)")
    for (name, end, network) in [(host, interface, address), (router, other, otherAddress)] {
      try shell("ip -n \(name) link set \(end) mtu \(mtu) up")
      try shell("ip -n \(name) addr add \(network) dev \(end)")
    }
  }
}

struct CommandFailure: Error, CustomStringConvertible {
  let description: String
}

/// Runs a command to its end.
func shell(_ command: String) throws {
  let process = Foundation.Process()
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
}

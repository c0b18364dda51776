// SPDX-License-Identifier: Apache-2.0

import CLinux
import HostNetwork

/// A network namespace of the laboratory, which nobody else knows.
///
/// It has no name, only descriptors of this process. So it goes with the process, however that
/// ends, and takes its interfaces with it.
final class Room: Sendable {
  /// What it is for, in messages.
  let name: String
  let namespace: NetworkNamespace

  /// Makes an empty one.
  init(_ name: String) throws(HostNetworkError) {
    self.name = name
    namespace = try NetworkNamespace.make()
  }

  /// Runs `body` inside, on a thread of its own, with a netlink socket of the room.
  func furnish<Value: Sendable>(
    _ body: @escaping @Sendable (inout NetlinkSocket) throws(HostNetworkError) -> Value
  ) throws(HostNetworkError) -> Value {
    try namespace.run { () throws(HostNetworkError) in
      var netlink = try NetlinkSocket()
      return try body(&netlink)
    }
  }

  /// Runs `body` inside, whatever its errors are.
  func visit<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) throws -> Value {
    try namespace.run { () throws(HostNetworkError) in Result { try body() } }.get()
  }

  /// Has packets that arrive at an interface handled on these cores (RPS), or where they arrive.
  func spreadReceiving(at interface: String, over cores: [Int]) throws(ScenarioError) {
    let mask = Room.mask(of: cores)
    do {
      let result = try namespace.run { () throws(HostNetworkError) in
        let mounted = clinux_mount_own_sysfs()
        guard mounted == 0 else { return mounted }
        return Room.write(mask, to: "/sys/class/net/\(interface)/queues/rx-0/rps_cpus")
      }
      guard result == 0 else {
        throw ScenarioError(.unavailable, "\(name): setting RPS: errno \(-result)")
      }
    } catch let error as ScenarioError {
      throw error
    } catch {
      throw ScenarioError(.unavailable, "\(name): setting RPS: \(error)")
    }
  }

  /// Cores as the kernel writes sets of them: groups of 32 bits, the highest first.
  static func mask(of cores: [Int]) -> String {
    let groups = (cores.max() ?? 0) / 32
    return (0...groups).reversed().map { group in
      let bits = cores.filter { $0 / 32 == group }.reduce(UInt32(0)) { $0 | 1 << UInt32($1 % 32) }
      return String(bits, radix: 16)
    }.joined(separator: ",")
  }

  private static func write(_ text: String, to path: String) -> Int32 {
    do throws(HostNetworkError) {
      let file = try FileDescriptor.open(path, flags: 1)
      try file.write(text, subject: path)
      return 0
    } catch {
      if case .system(let system) = error { return -system.errno }
      return -1
    }
  }
}

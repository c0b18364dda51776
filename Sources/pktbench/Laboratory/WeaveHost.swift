// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork

/// A real Weave Net router on one of the two hosts, with the container on its bridge.
final class WeaveHost {
  private let process: RoomProcess
  private let folder: URL

  /// Starts one on each host; the second dials the first.
  static func pair(on hosts: TwoHosts, isSealed: Bool) throws -> [WeaveHost] {
    guard let program = WeaveProgram.path else {
      throw ScenarioError(
        .unavailable, "\"weave\" needs WEAVE_ROUTER, the path of a Weave Net 2.8 router (weaver)")
    }
    let (first, second) = (hosts.sides[0], hosts.sides[1])
    let secret = isSealed ? ["--password=nobody shall know"] : []
    return [
      try WeaveHost(program, 1, first, secret),
      try WeaveHost(program, 2, second, secret + ["\(second.tunnel.remote)"]),
    ]
  }

  private init(
    _ program: String, _ number: Int, _ side: TwoHosts.Side, _ arguments: [String]
  ) throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("pktbench-weave-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data().write(to: folder.appendingPathComponent("resolv.conf"))
    let port = side.port.index
    try side.host.furnish { (netlink) throws(HostNetworkError) in
      // It listens there, too.
      try netlink.change(try netlink.index(of: "lo"), .up)
      let bridge = try netlink.createBridge("weave", mtu: 65_535)
      try netlink.setMaster(bridge, of: port)
      try netlink.change(bridge, .up)
    }
    process = try RoomProcess(
      "weaver", WeaveHost.command(program, number, folder) + arguments, in: side.host)
  }

  private static func command(_ program: String, _ number: Int, _ folder: URL) -> [String] {
    [
      "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "env", "-C", folder.path,
      "CHECKPOINT_DISABLE=1", program, "--no-fastdp", "--weave-bridge=weave", "--host=0.0.0.0",
      "--port=6783", "--name=02:00:00:00:00:0\(number)", "--nickname=weave\(number)",
      "--docker-api=", "--db-prefix=\(folder.path)/weavedb",
      "--resolv-conf=\(folder.path)/resolv.conf", "--ipalloc-range=10.32.0.0/12",
      "--ipalloc-init=consensus=2", "--no-dns", "--http-addr=127.0.0.1:6784",
      "--status-addr=127.0.0.1:6782",
    ]
  }

  /// Ends it.
  func end() {
    process.end()
    try? FileManager.default.removeItem(at: folder)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A real Weave Net router in a namespace of its own, as a peer of ours.
///
/// The program is not part of this project: WEAVE_ROUTER names one. It uses sleeve only.
final class WeaveRouter {
  /// The program; nil if WEAVE_ROUTER is not set.
  static let program = ProcessInfo.processInfo.environment["WEAVE_ROUTER"]
  /// What a skipped test says.
  static let absence: Comment =
    "WEAVE_ROUTER is not set: NOT TESTED WITH A REAL WEAVE ROUTER; give the path of a weaver 2.8"

  let namespace: TestNamespace
  private let number: Int
  private let name: String
  private let arguments: [String]
  private let folder: URL
  private var process: RunningProcess?

  /// What it has written so far.
  var log: String { process?.errors ?? "nothing: it does not run" }

  init(_ number: Int, name: String, arguments: [String]) throws {
    (self.number, self.name, self.arguments) = (number, name, arguments)
    namespace = try TestNamespace("weave\(number)")
    folder = try Leftovers.scratch().appendingPathComponent(namespace.name, isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data().write(to: folder.appendingPathComponent("resolv.conf"))
    try namespace.ip("link add weave type bridge")
    try namespace.ip("link set weave up")
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(at: folder)
  }

  /// Starts it and waits until it serves.
  ///
  /// In a process namespace of its own, because it looks into the network of every process that it
  /// sees.
  func start() throws {
    let program = try #require(Self.program)
    // In a folder of its own, where it leaves a file that has the next one resume.
    let own = [
      "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "env", "-C", folder.path,
      program,
    ]
    let process = try RunningProcess(
      namespace.command(own + flags + arguments), environment: ["CHECKPOINT_DISABLE": "1"])
    self.process = process
    try process.expect("Listening for HTTP control messages", within: .seconds(20))
  }

  private var flags: [String] {
    [
      "--no-fastdp", "--weave-bridge=weave", "--host=0.0.0.0", "--port=6783", "--name=\(name)",
      "--nickname=weave\(number)", "--docker-api=", "--db-prefix=\(folder.path)/weavedb",
      "--resolv-conf=\(folder.path)/resolv.conf", "--ipalloc-range=10.32.0.0/12",
      "--ipalloc-init=consensus=2", "--no-dns", "--http-addr=127.0.0.1:6784",
      "--status-addr=127.0.0.1:6782",
    ]
  }

  /// Ends it.
  func stop() {
    process?.stop(with: SIGKILL)
    process = nil
  }

  /// `GET` or `POST` of its API; the body.
  func ask(_ method: String, _ path: String) throws -> String {
    let source = """
      import sys, urllib.request
      request = urllib.request.Request(
          'http://127.0.0.1:6784' + sys.argv[2], method=sys.argv[1],
          headers={'Accept': 'application/json'}, data=b'' if sys.argv[1] == 'POST' else None)
      sys.stdout.write(urllib.request.urlopen(request, timeout=5).read().decode())
      """
    return try namespace.run(["/usr/bin/python3", "-c", source, method, path])
  }

  /// Its report.
  func report() throws -> MeshReportJSON {
    try JSONDecoder().decode(MeshReportJSON.self, from: Data(ask("GET", "/report").utf8))
  }

  /// Waits until connections to these peers, by number, are established.
  func waitUntilConnected(_ numbers: Int..., within limit: Duration = .seconds(30)) throws {
    let names = Set(numbers.map(MeshBed.name))
    try eventually("\(name) is connected with \(names)", within: limit) {
      try names.isSubset(of: report().router.establishedPeers)
    }
  }

  /// Waits until that many peers, the router included, are known.
  func waitUntilKnown(_ count: Int, within limit: Duration = .seconds(30)) throws {
    try eventually("\(name) knows \(count) peers", within: limit) {
      try report().router.Peers.count == count
    }
  }
}

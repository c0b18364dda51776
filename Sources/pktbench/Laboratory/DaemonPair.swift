// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet

/// Two hosts with the built `weftd`, peers of a mesh; the first has containers that say nothing.
///
/// The daemons are programs of their own, with a `/run` of their own; only their configuration and
/// sockets are in a folder of this run. `end` takes all of it away.
final class DaemonPair: Sendable {
  /// The programs that it takes.
  static let programs = ["weftd", "weft"]

  /// The process of the first daemon.
  let process: RoomProcess
  private let other: RoomProcess
  private let hosts: TwoHosts
  private let containers: [Room]
  private let folder: URL
  private let run: ScenarioRun

  /// A program that was built with this one, at whose side it is; nil if it is not there.
  static func program(_ name: String) -> URL? {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let url = own.deletingLastPathComponent().appending(path: name)
    return FileManager.default.isExecutableFile(atPath: url.path) ? url : nil
  }

  /// Starts both, has them find each other, and attaches `count` containers to the first.
  init(containers count: Int, cores: LaboratoryCores, in run: ScenarioRun) throws {
    self.run = run
    let own = ProcessInfo.processInfo.processIdentifier
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("pktbench-\(own)-\(UUID().uuidString)", isDirectory: true)
    self.folder = folder
    run.atEnd { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    hosts = try TwoHosts("weftd", mtu: 1450)
    try hosts.addressWires()
    containers = try (0..<count).map { _ in try Room("silent container") }
    let processes = try hosts.sides.enumerated().map { number, side in
      try DaemonPair.start(
        number, side, core: number == 0 ? cores.worker : cores.generator, folder, run)
    }
    (process, other) = (processes[0], processes[1])
    try awaitEstablished()
    for number in 0..<count { try attach(number) }
  }

  private static func start(
    _ number: Int, _ side: TwoHosts.Side, core: Int, _ folder: URL, _ run: ScenarioRun
  ) throws -> RoomProcess {
    guard let program = program("weftd") else {
      throw ScenarioError(.unavailable, "weftd is not beside pktbench; build it, too")
    }
    let peers = number == 0 ? "" : "peers = [\"\(side.tunnel.remote)\"]"
    let file = folder.appending(path: "weftd\(number).toml")
    let text = """
      [underlay]
      interface = "port1"
      [workers]
      cores = [\(core)]
      [api]
      socket = "\(socket(number, folder).path)"
      [mesh]
      name = "02:00:00:00:00:0\(number + 1)"
      \(peers)

      """
    try Data(text.utf8).write(to: file)
    try side.host.furnish { (netlink) throws(HostNetworkError) in
      try netlink.change(try netlink.index(of: "lo"), .up)
    }
    let process = try RoomProcess(
      "weftd", [program.path, "--config", file.path], in: side.host)
    run.atEnd { process.end() }
    return process
  }

  private static func socket(_ number: Int, _ folder: URL) -> URL {
    folder.appending(path: "weft\(number).sock")
  }

  /// Waits until frames can pass between both.
  private func awaitEstablished() throws {
    var answer = ""
    for _ in 0..<150 {
      try run.check()
      answer = (try? weft(["status", "connections", "--json"])) ?? ""
      if answer.contains("\"established\"") { return }
      try run.wait(seconds: 0.2)
    }
    end()
    throw ScenarioError(
      .unavailable,
      "idle: two weftd do not find each other; the first one said last: \(process.lastLines)")
  }

  private func attach(_ number: Int) throws {
    try run.check()
    let room = containers[number]
    _ = try room.furnish { (_) throws(HostNetworkError) in
      try KernelSetting("net/ipv6/conf/default/disable_ipv6").set("1")
    }
    let own = ProcessInfo.processInfo.processIdentifier
    _ = try weft([
      "attach", "--netns", "/proc/\(own)/fd/\(room.namespace.rawDescriptor)",
      "\(IPv4Address(bits: 0x0A20_0001 + UInt32(number)))/12",
    ])
  }

  /// Asks the first daemon, and gives the answer.
  private func weft(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = DaemonPair.program("weft")
    process.arguments = arguments + ["--socket", DaemonPair.socket(0, folder).path]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let answer = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ScenarioError(
        .failed,
        "weft \(arguments.joined(separator: " ")): \(String(decoding: complaint, as: UTF8.self))")
    }
    return String(decoding: answer, as: UTF8.self)
  }

  /// Ends both and removes what they left; once more does nothing.
  func end() {
    process.end()
    other.end()
    try? FileManager.default.removeItem(at: folder)
  }
}

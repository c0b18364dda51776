// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One host with its own weftd, config file and socket.
final class TestHost {
  /// What tells one host from the other.
  struct Place {
    let name: String
    let address: String
    let peer: String
    let core: Int

    static let a = Place(name: "a", address: "192.0.2.1", peer: "192.0.2.2", core: 0)
    static let b = Place(
      name: "b", address: "192.0.2.2", peer: "192.0.2.1",
      core: min(1, ProcessInfo.processInfo.activeProcessorCount - 1))
  }

  /// The host's network, with `eth0`.
  let namespace: TestNamespace
  let place: Place
  /// The folder of its config file and socket.
  let folder: URL
  /// Its weftd; nil while there is none.
  private(set) var weftd: RunningProcess?

  var configFile: String { folder.appendingPathComponent("weftd.toml").path }
  var socket: String { folder.appendingPathComponent("weft.sock").path }

  init(_ place: Place) throws {
    self.place = place
    namespace = try TestNamespace(place.name)
    folder = try Leftovers.scratch().appendingPathComponent(namespace.name, isDirectory: true)
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    try writeConfig()
  }

  deinit {
    weftd?.stop()
    try? FileManager.default.removeItem(at: folder)
  }

  /// The text of the config file.
  ///
  /// Its endpoints are `peers`, or the one at the end of the wire.
  func config(
    interface: String? = "eth0", mode: String = "automatic", top: String = "",
    onStop: String? = nil, peers: [String]? = nil
  ) -> String {
    let named = interface.map { "interface = \"\($0)\"" } ?? ""
    let keep = onStop.map { "[attachments]\non_stop = \"\($0)\"\n" } ?? ""
    let vteps = (peers ?? [place.peer]).map { "[[vtep]]\naddress = \"\($0)\"\nvni = 42\n" }
    return """
      \(top)
      [underlay]
      mode = "\(mode)"
      \(named)
      [workers]
      cores = [\(place.core)]
      [api]
      socket = "\(socket)"
      \(keep)\(vteps.joined())
      """
  }

  /// Writes the config file, or another one beside it; returns its path.
  @discardableResult
  func writeConfig(_ text: String? = nil, name: String = "weftd.toml") throws -> String {
    let file = folder.appendingPathComponent(name)
    try Data((text ?? config()).utf8).write(to: file)
    return file.path
  }

  /// Writes a file with a password that only we can read; returns its path.
  func writePassword(_ word: String) throws -> String {
    let file = folder.appendingPathComponent("password")
    try Data(word.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    return file.path
  }

  /// The words that run weftd on this host.
  func weftdCommand(_ arguments: String...) throws -> [String] {
    namespace.command([try Programs.weftd] + arguments)
  }

  /// Starts weftd and waits until it serves; its endpoint need not be reachable yet.
  func start() throws {
    try launch().expect("notice ready ")
    _ = try status()
  }

  /// Starts weftd and does not wait for anything.
  @discardableResult
  func launch() throws -> RunningProcess {
    let process = try RunningProcess(try weftdCommand("--config", configFile))
    weftd = process
    return process
  }

  /// Ends the link of the underlay's program, of which the kernel tells nobody.
  func takeProgramOffUnderlay() throws {
    let link = try namespace.links().first { $0["ifname"] as? String == "eth0" }
    let program = (link?["xdp"] as? [String: Any])?["prog"] as? [String: Any]
    let links = try list(json: try namespace.run("bpftool -j link show"))
    let ours = links.first { $0["prog_id"] as? Int == program?["id"] as? Int }?["id"] as? Int
    guard program != nil, let ours else { throw TestbedError("no program of a link on eth0") }
    try namespace.run("bpftool link detach id \(ours)")
  }

  /// Waits until the way to the other host is known.
  func waitUntilResolved() throws {
    try eventually("host \(place.name) reaches \(place.peer)", within: .seconds(5)) {
      try status().endpoints.allSatisfy { $0.state == "resolved" }
    }
  }

  /// Ends weftd as systemd does; returns its exit code.
  @discardableResult
  func stop() -> Int32? {
    defer { weftd = nil }
    return weftd?.stop(within: .seconds(10))
  }

  /// Ends weftd so that it cannot tidy up.
  func kill() {
    weftd?.stop(with: SIGKILL)
    weftd = nil
  }

  /// Begins to ask weftd something.
  func startAsking(_ arguments: [String]) throws -> RunningProcess {
    try RunningProcess([try Programs.weft] + arguments, environment: ["WEFT_SOCKET": socket])
  }

  /// Asks weftd something, which may be refused.
  func ask(_ arguments: [String]) throws -> Outcome {
    try attempt([try Programs.weft] + arguments, environment: ["WEFT_SOCKET": socket])
  }

  /// `weft status` as a person sees it.
  func statusText() throws -> String {
    let outcome = try ask(["status"])
    guard outcome.status == 0 else { throw TestbedError("\(outcome)") }
    return outcome.output
  }

  private func answer(_ arguments: [String]) throws -> Data {
    let outcome = try ask(arguments + ["--json"])
    guard outcome.status == 0 else {
      throw TestbedError("\(outcome)\n\(weftd?.errors ?? "weftd does not run")")
    }
    return Data(outcome.output.utf8)
  }

  /// `weft attach`, with what the container is given.
  @discardableResult
  func attach(_ container: TestContainer, mac: String? = nil) throws -> AttachmentJSON {
    let address = mac.map { ["--mac", $0] } ?? []
    let data = try answer(
      ["attach", "--netns", container.namespace.path] + address + [container.prefix])
    let attachment = try JSONDecoder().decode(AttachmentJSON.self, from: data)
    container.interface = attachment.interface
    return attachment
  }

  /// `weft detach` of the whole interface.
  func detach(_ container: TestContainer) throws {
    _ = try answer(["detach", "--netns", container.namespace.path])
    container.interface = nil
  }

  /// `weft ps`.
  func attachments() throws -> [AttachmentJSON] {
    try JSONDecoder().decode([AttachmentJSON].self, from: try answer(["ps"]))
  }

  /// `weft status`.
  func status() throws -> StatusJSON {
    try JSONDecoder().decode(StatusJSON.self, from: try answer(["status"]))
  }
}

/// The programs under test.
enum Programs {
  static var weftd: String { get throws { try path("weftd") } }
  static var weft: String { get throws { try path("weft") } }

  /// The repository.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func path(_ name: String) throws -> String {
    let folder = ProcessInfo.processInfo.environment["WEFT_BIN_DIR"].map(URL.init(fileURLWithPath:))
    let file = (folder ?? root.appendingPathComponent(".build/release"))
      .appendingPathComponent(name)
    guard FileManager.default.isExecutableFile(atPath: file.path) else {
      throw TestbedError(
        "there is no \(file.path): build it with `swift build -c release --product \(name)`, "
          + "or set WEFT_BIN_DIR to the folder that has it")
    }
    return file.path
  }
}

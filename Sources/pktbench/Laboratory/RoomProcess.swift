// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import HostNetwork
import Synchronization

/// Somebody else's program, running in a room, with its input and output in our hands.
///
/// The thread that started it waits until it has ended, because the kernel kills the program when
/// that thread goes: it cannot outlive this process, however that ends. It sees a `/run` and a
/// `/sys/fs/bpf` of its own, so that nothing it writes there stays.
final class RoomProcess: Sendable {
  /// What it is called in messages.
  let name: String
  private let process = Process()
  private let input = Pipe()
  private let text = Mutex("")
  private let failure = Mutex<String?>(nil)
  private let ended = DispatchSemaphore(value: 0)

  /// Starts a program with its arguments; it is looked for like a shell does.
  init(_ name: String, _ command: [String], in room: Room) throws(ScenarioError) {
    self.name = name
    // Writing to a program that has ended must be an error, not our end.
    Glibc.signal(SIGPIPE, SIG_IGN)
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/nsenter")
    let own = ProcessInfo.processInfo.processIdentifier
    process.arguments =
      [
        "--net=/proc/\(own)/fd/\(room.namespace.rawDescriptor)", "unshare", "--mount", "sh", "-c",
        RoomProcess.preparation, name,
      ] + command
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    output.fileHandleForReading.readabilityHandler = { [weak self] handle in
      let data = handle.availableData
      guard !data.isEmpty else { return handle.readabilityHandler = nil }
      self?.text.withLock { $0 += String(decoding: data, as: UTF8.self) }
    }
    start(holding: room)
    if let failure = failure.withLock({ $0 }) {
      throw ScenarioError(.unavailable, "\(name) cannot be started: \(failure)")
    }
  }

  /// Has the program find what it needs, and end when its parent does.
  private static let preparation = """
    mount -t bpf bpf /sys/fs/bpf && mount -t tmpfs tmpfs /run && \
    exec setpriv --pdeathsig KILL stdbuf -oL "$@"
    """

  private func start(holding room: Room) {
    let started = DispatchSemaphore(value: 0)
    Thread.detachNewThread { [self] in
      let left = DispatchSemaphore(value: 0)
      process.terminationHandler = { _ in left.signal() }
      do {
        try process.run()
        started.signal()
        left.wait()
      } catch {
        failure.withLock { $0 = "\(error)" }
        started.signal()
      }
      extendLifetime(room)
      ended.signal()
    }
    started.wait()
  }

  /// What it has said since the last call, once that ends with `mark`.
  func output(endingWith mark: String, seconds: Double) throws(ScenarioError) -> String {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while true {
      let found = text.withLock { text -> String? in
        guard text.hasSuffix(mark) else { return nil }
        defer { text = "" }
        return text
      }
      if let found { return found }
      guard Date() < deadline, process.isRunning else { break }
      Thread.sleep(forTimeInterval: 0.002)
    }
    throw ScenarioError(
      .unavailable,
      "\(name) \(process.isRunning ? "does not answer" : "has ended"); it said last: \(lastLines)")
  }

  /// What it said last.
  var lastLines: String {
    text.withLock { $0 }.split(separator: "\n").suffix(3).joined(separator: "; ")
  }

  /// The number of its process, which is its own, as everything in front of it gives way to it.
  var identifier: Int32 { process.processIdentifier }

  /// Writes a line to its input.
  func say(_ line: String) throws(ScenarioError) {
    do {
      try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    } catch {
      throw ScenarioError(.unavailable, "\(name) takes no commands any more: \(error)")
    }
  }

  /// Takes it off the processor.
  func pause() { give(SIGSTOP) }

  /// Puts it back.
  func resume() { give(SIGCONT) }

  /// Ends it, and waits a while until it is gone; once more does nothing.
  func end() {
    give(SIGKILL)
    if ended.wait(timeout: .now() + 10) == .success { ended.signal() }
  }

  private func give(_ number: Int32) {
    guard process.isRunning else { return }
    kill(process.processIdentifier, number)
  }
}

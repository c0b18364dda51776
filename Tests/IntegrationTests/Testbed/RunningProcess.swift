// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A program that runs beside the test; it is killed, by its id, no later than this value ends.
///
/// Its output goes to files and not through pipes, so that nobody has to read while it runs and
/// nothing that it leaves behind can hold the test up.
final class RunningProcess {
  private static let count = Atomic<Int>(0)

  private let process: ChildProcess
  private var ending: Int32?
  private let outputFile: URL
  private let errorFile: URL
  /// The command, for messages.
  let line: String

  /// Starts a program that is found in the PATH.
  init(_ words: [String], environment: [String: String] = [:]) throws {
    line = words.joined(separator: " ")
    let number = Self.count.add(1, ordering: .relaxed).newValue
    let folder = try Leftovers.scratch()
    outputFile = folder.appendingPathComponent("\(number).output")
    errorFile = folder.appendingPathComponent("\(number).errors")
    process = try ChildProcess(
      words, environment: Self.environment.merging(environment) { $1 }, output: outputFile.path,
      errors: errorFile.path)
    Leftovers.add(process: process.id)
  }

  deinit {
    stop(with: SIGKILL)
    for file in [outputFile, errorFile] { try? FileManager.default.removeItem(at: file) }
  }

  private static let environment: [String: String] = {
    var environment = ProcessInfo.processInfo.environment
    environment["PATH", default: ""] += ":/usr/sbin:/usr/bin:/sbin:/bin"
    environment["LC_ALL"] = "C"
    environment["SWIFT_BACKTRACE"] = "enable=no"
    environment["WEFT_SOCKET"] = nil
    return environment
  }()

  /// The process's id.
  var id: pid_t { process.id }
  /// Whether it has not ended yet.
  var isRunning: Bool { exitCode() == nil }
  /// What it has written to standard output so far.
  var output: String { Self.text(outputFile) }
  /// What it has written to standard error so far.
  var errors: String { Self.text(errorFile) }

  private static func text(_ file: URL) -> String {
    String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
  }

  /// The descriptors it has open, as `/proc` shows what they are.
  func descriptors() throws -> [String] {
    let folder = "/proc/\(id)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
    }
  }

  /// Its open AF_XDP sockets, by the kernel's list of all of its network namespace.
  func sockets() throws -> Int {
    let inodes = try descriptors().filter { $0.hasPrefix("socket:[") }
    let others = try ["unix", "netlink", "packet", "tcp", "udp", "raw"].flatMap { kind in
      try String(contentsOfFile: "/proc/\(id)/net/\(kind)", encoding: .utf8).split(separator: "\n")
    }
    return inodes.filter { inode in
      let number = inode.dropFirst("socket:[".count).dropLast()
      return !others.contains { $0.split(separator: " ").contains(number) }
    }.count
  }

  /// Waits for its end and returns its exit code, 128 + the signal that killed it, or nil if it
  /// still runs after `limit`.
  func wait(_ limit: Duration) -> Int32? {
    let end = ContinuousClock.now + limit
    while true {
      if let code = exitCode() { return code }
      guard ContinuousClock.now < end else { return nil }
      Thread.sleep(forTimeInterval: 0.002)
    }
  }

  private func exitCode() -> Int32? {
    if ending == nil, let code = process.exitCode() {
      ending = code
      Leftovers.forget(process: process.id)
    }
    return ending
  }

  /// Sends a signal unless it has ended; when it kills, also to what the program has started.
  func send(_ number: Int32) {
    guard isRunning else { return }
    kill(number == SIGKILL ? -process.id : process.id, number)
  }

  /// Asks it to end, waits, and then kills it; returns its exit code.
  @discardableResult
  func stop(with number: Int32 = SIGTERM, within limit: Duration = .seconds(30)) -> Int32 {
    send(number)
    if let status = wait(limit) { return status }
    send(SIGKILL)
    return wait(.seconds(30)) ?? -1
  }

  /// Waits until standard output or standard error has the text.
  func expect(_ text: String, within limit: Duration = .seconds(10)) throws {
    try eventually("'\(line)' says '\(text)'", within: limit) {
      if output.contains(text) || errors.contains(text) { return true }
      guard isRunning else {
        throw TestbedError("'\(line)' ended without saying '\(text)': \(output)\(errors)")
      }
      return false
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

/// Something that a test needs did not work.
struct TestbedError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// How many times longer than on a quiet machine anything may take, as others may use this one.
private let patience = 6

/// Asks again and again until the answer is yes; throws when it is still no after `patience` times
/// `limit`.
func eventually(
  _ what: String, within limit: Duration = .seconds(5), _ isTrue: () throws -> Bool
) throws {
  let end = ContinuousClock.now + limit * patience
  while try !isTrue() {
    guard ContinuousClock.now < end else {
      throw TestbedError("not within \(limit * patience): \(what)")
    }
    Thread.sleep(forTimeInterval: 0.02)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// What the tests made outside of themselves and what goes away with them, also when they are
/// interrupted.
///
/// Whoever makes something takes it back itself; this is for what then still is there.
enum Leftovers {
  private struct List {
    var processes: Set<pid_t> = []
    var namespaces: Set<String> = []
    var scratch: URL?
  }

  private static let list = Mutex(List())
  private static let interruption = Atomic<Int32>(0)
  private static let watch: Void = watchForTheEnd()

  /// Ends the process should it still run in the end.
  static func add(process: pid_t) {
    _ = watch
    list.withLock { _ = $0.processes.insert(process) }
  }

  /// The process has ended.
  static func forget(process: pid_t) {
    list.withLock { _ = $0.processes.remove(process) }
  }

  /// Deletes the namespace should it still be there in the end.
  static func add(namespace: String) {
    _ = watch
    list.withLock { _ = $0.namespaces.insert(namespace) }
  }

  /// The namespace has been deleted.
  static func forget(namespace: String) {
    list.withLock { _ = $0.namespaces.remove(namespace) }
  }

  /// A folder of this run, which everybody may enter: not all programs here run as root.
  static func scratch() throws -> URL {
    _ = watch
    return try list.withLock { list in
      if let scratch = list.scratch { return scratch }
      let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("weft-tests-\(getpid())", isDirectory: true)
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
      list.scratch = folder
      return folder
    }
  }

  private static func watchForTheEnd() {
    // Not SIG_IGN, which programs started from here would inherit.
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { Leftovers.interruption.store($0, ordering: .relaxed) }
    }
    atexit { Leftovers.remove() }
    Thread.detachNewThread {
      while interruption.load(ordering: .relaxed) == 0 { Thread.sleep(forTimeInterval: 0.05) }
      remove()
      _exit(128 + interruption.load(ordering: .relaxed))
    }
  }

  private static func remove() {
    let rest = list.withLock { list in
      defer { list = List() }
      return list
    }
    for process in rest.processes { kill(-process, SIGKILL) }
    for namespace in rest.namespaces {
      let command = try? ChildProcess(
        ["ip", "netns", "del", namespace], environment: ProcessInfo.processInfo.environment,
        output: "/dev/null", errors: "/dev/null")
      while let command, command.exitCode() == nil { Thread.sleep(forTimeInterval: 0.002) }
    }
    if let scratch = rest.scratch { try? FileManager.default.removeItem(at: scratch) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Processor time of the threads of a process, from `/proc/PID/task`.
struct ThreadTimes: Equatable {
  /// One thread: its name, and what its file `schedstat` says.
  struct Entry: Equatable {
    /// Its number.
    let thread: String
    let name: String
    let seconds: Double

    /// Reads the texts of `comm` and `schedstat`; nil if they are not as proc(5) has them.
    init?(thread: String, comm: String, schedstat: String) {
      let words = schedstat.split { $0 == " " || $0 == "\n" }
      guard words.count >= 3, let nanoseconds = UInt64(words[0]) else { return nil }
      self.thread = thread
      name = String(comm.prefix { $0 != "\n" })
      seconds = Double(nanoseconds) / 1e9
    }
  }

  let entries: [Entry]

  /// The threads of this process that there are now.
  static func own() -> ThreadTimes { ThreadTimes(ofProcess: "self") }

  init(entries: [Entry]) { self.entries = entries }

  /// The threads that a process has now, by its number; none if there is no such process.
  init(ofProcess process: String) {
    let folder = "/proc/\(process)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    entries = threads.compactMap { thread in
      Entry(
        thread: thread, comm: ThreadTimes.contents("\(folder)/\(thread)/comm"),
        schedstat: ThreadTimes.contents("\(folder)/\(thread)/schedstat"))
    }
  }

  /// The time of all these threads since an earlier look, at which some may not have been there.
  func seconds(since earlier: ThreadTimes) -> Double {
    let before = Dictionary(
      earlier.entries.map { ($0.thread, $0.seconds) }, uniquingKeysWith: { first, _ in first })
    return entries.reduce(0) { $0 + max(0, $1.seconds - (before[$1.thread] ?? 0)) }
  }

  /// The time of all threads whose name begins so; nil if there is none.
  func seconds(named prefix: String) -> Double? {
    let own = entries.filter { $0.name.hasPrefix(prefix) }
    return own.isEmpty ? nil : own.reduce(0) { $0 + $1.seconds }
  }

  private static func contents(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}

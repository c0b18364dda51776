// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Processor time of the threads of this process, from `/proc/self/task`.
struct ThreadTimes: Equatable {
  /// One thread: its name, and what its file `schedstat` says.
  struct Entry: Equatable {
    let name: String
    let seconds: Double

    /// Reads the texts of `comm` and `schedstat`; nil if they are not as proc(5) has them.
    init?(comm: String, schedstat: String) {
      let words = schedstat.split { $0 == " " || $0 == "\n" }
      guard words.count >= 3, let nanoseconds = UInt64(words[0]) else { return nil }
      name = String(comm.prefix { $0 != "\n" })
      seconds = Double(nanoseconds) / 1e9
    }
  }

  let entries: [Entry]

  /// The threads there are now.
  static func own() -> ThreadTimes {
    let folder = "/proc/self/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return ThreadTimes(
      entries: threads.compactMap { thread in
        Entry(
          comm: contents("\(folder)/\(thread)/comm"),
          schedstat: contents("\(folder)/\(thread)/schedstat"))
      })
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

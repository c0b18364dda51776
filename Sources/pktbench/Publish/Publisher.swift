// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Synchronization

/// Moves a thousand stations a second, each with a publication of its own, whenever it is active.
final class Publisher: Sendable {
  /// Nanoseconds from one publication to the next.
  static let period: UInt64 = 1_000_000

  private struct Books {
    var published = 0
    var refused = 0
  }

  private let active = Atomic<Bool>(false)
  private let isStopping = Atomic<Bool>(false)
  private let hasEnded = DispatchSemaphore(value: 0)
  private let books = Mutex(Books())

  /// Starts a thread on `core`, inactive.
  init(_ control: PipelineControl, entries: Int, core: Int) {
    Thread { [self] in
      _ = clinux_pin_thread(UInt32(core))
      var random = SeededRandom(seed: 3)
      var due = Stopwatch.now
      while !isStopping.load(ordering: .relaxed) {
        guard active.load(ordering: .relaxed) else {
          usleep(100)
          due = Stopwatch.now
          continue
        }
        let before = Stopwatch.now
        guard before >= due else {
          usleep(UInt32((due - before) / 1000 + 1))
          continue
        }
        let number = random.number(below: entries)
        let isPublished = control.move(number, round: 1 + random.number(below: 63))
        books.withLock { books in
          if isPublished { books.published += 1 } else { books.refused += 1 }
        }
        due += Publisher.period
      }
      hasEnded.signal()
    }.start()
  }

  /// Whether stations move.
  var isActive: Bool {
    get { active.load(ordering: .relaxed) }
    set { active.store(newValue, ordering: .relaxed) }
  }

  /// Publications so far.
  var publishedCount: Int { books.withLock(\.published) }

  /// Waits until nothing is published any more.
  func end() {
    isStopping.store(true, ordering: .relaxed)
    hasEnded.wait()
  }

  /// What was published, for progress.
  var report: String {
    books.withLock { "\($0.published) publications, \($0.refused) put off for lack of pages" }
  }
}

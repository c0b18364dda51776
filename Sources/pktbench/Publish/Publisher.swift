// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Synchronization

/// Moves stations from another core, one publication each time it is asked.
final class Publisher: Sendable {
  private struct Books {
    var published = 0
    var refused = 0
  }

  private let wishes = DispatchSemaphore(value: 0)
  private let hasEnded = DispatchSemaphore(value: 0)
  private let isStopping = Atomic<Bool>(false)
  private let isQuiet = Atomic<Bool>(false)
  private let books = Mutex(Books())

  /// Starts a thread on `core`, and waits until it is there.
  init(_ control: PipelineControl, entries: Int, core: Int) {
    let hasBegun = DispatchSemaphore(value: 0)
    Thread { [self] in
      _ = clinux_pin_thread(UInt32(core))
      hasBegun.signal()
      var random = SeededRandom(seed: 3)
      while true {
        wishes.wait()
        if isStopping.load(ordering: .relaxed) { break }
        if isQuiet.load(ordering: .relaxed) { continue }
        let number = random.number(below: entries)
        let isPublished = control.move(number, round: 1 + random.number(below: 63))
        books.withLock { books in
          if isPublished { books.published += 1 } else { books.refused += 1 }
        }
      }
      hasEnded.signal()
    }.start()
    hasBegun.wait()
  }

  /// Asks for a publication and does not wait for it; quietly, the thread is only woken.
  func request(quietly: Bool = false) {
    isQuiet.store(quietly, ordering: .relaxed)
    wishes.signal()
  }

  /// Publications so far.
  var publishedCount: Int { books.withLock(\.published) }

  /// Waits until nothing is published any more.
  func end() {
    isStopping.store(true, ordering: .relaxed)
    wishes.signal()
    hasEnded.wait()
  }

  /// What was published, for progress.
  var report: String {
    books.withLock { "\($0.published) publications, \($0.refused) put off for lack of pages" }
  }
}

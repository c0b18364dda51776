// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Foundation
import Synchronization
import Tables
import TestSupport
import Testing

/// Readers on threads of their own, while one publication follows the other.
///
/// With stamps (`WEFT_STAMPS=1`, as under the sanitizers) every page that a reader touches is also
/// checked; in any build, what is in the snapshots must fit together.
struct PublicationLoadTests {
  /// A hundred thousand with stamps, which are about this, or with `WEFT_SOAK=1`.
  private static let publicationCount =
    PageStamps.areKept || ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1" ? 100_000 : 1000

  @Test func everySnapshotIsWholeHoweverManyArePublished() throws {
    let memory = try SnapshotMemory(pageCount: 8192, entryCountMax: 16)
    var author = try Author(memory: memory)
    author.publish()
    let watch = Watch()
    let readers = (0..<3).map { number in
      // The last one sleeps between breaths.
      ReaderThread(memory: memory, worker: number, watch: watch, isSleeper: number == 2)
    }
    let deadline = Date(timeIntervalSinceNow: 3600)
    while author.publishedCount < Self.publicationCount || readers.contains(where: \.hasSeenLittle),
      Date() < deadline
    {
      author.publish()
      watch.announce(author.generation)
    }
    for reader in readers { reader.end() }
    author.reclaim()
    #expect(author.publishedCount >= Self.publicationCount)
    #expect(watch.problemCount == 0, "things in one snapshot did not fit together")
    #expect(PageStamps.violationCount(in: memory.pages) == 0)
    #expect(author.retiredPageCount == 0, "nobody reads any more, so every page came back")
    for reader in readers { #expect(!reader.hasSeenLittle) }
  }

  #if WEFT_STAMPS
  /// Control: a reader that says it sleeps while it still reads is caught.
  @Test func readingWhileOfflineIsAViolation() throws {
    let memory = try SnapshotMemory(pageCount: 8192, entryCountMax: 16)
    var author = try Author(memory: memory)
    author.publish()
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    let held = reader.refresh()
    var random = SeededGenerator(seed: 1)
    #expect(Author.problemCount(in: held, random: &random) == 0)
    #expect(PageStamps.violationCount(in: memory.pages) == 0)
    reader.goOffline()
    for _ in 0..<100 { author.publish() }
    #expect(Author.problemCount(in: held, random: &random) > 0)
    #expect(PageStamps.violationCount(in: memory.pages) > 0)
  }
  #endif
}

/// What the threads tell each other.
private final class Watch: Sendable {
  private let announced = Atomic<UInt64>(0)
  private let problems = Atomic<Int>(0)

  /// From here on nobody may get an older snapshot.
  func announce(_ generation: UInt64) { announced.store(generation, ordering: .releasing) }

  /// What every snapshot picked up from now on has reached.
  var oldestAllowed: UInt64 { announced.load(ordering: .acquiring) }

  func add(_ count: Int) { problems.add(count, ordering: .relaxed) }

  var problemCount: Int { problems.load(ordering: .relaxed) }
}

/// A reader, one breath after the other.
private final class ReaderThread: Sendable {
  private let isStopping = Atomic<Bool>(false)
  private let seenCount = Atomic<Int>(0)
  private let hasEnded = DispatchSemaphore(value: 0)

  init(memory: SnapshotMemory, worker: Int, watch: Watch, isSleeper: Bool) {
    Thread { [self] in
      let reader = SnapshotReader(memory: memory, worker: worker)
      var random = SeededGenerator(seed: UInt64(worker))
      var last: UInt64 = 0
      reader.goOnline()
      while !isStopping.load(ordering: .relaxed) {
        let oldest = watch.oldestAllowed
        let snapshot = reader.refresh()
        if snapshot.generation > last { seenCount.add(1, ordering: .relaxed) }
        if snapshot.generation < max(oldest, last) { watch.add(1) }
        last = snapshot.generation
        watch.add(Author.problemCount(in: snapshot, random: &random))
        if isSleeper {
          reader.goOffline()
          usleep(100)
          reader.goOnline()
        }
      }
      reader.goOffline()
      hasEnded.signal()
    }.start()
  }

  /// Whether it has not had its share of different snapshots yet.
  var hasSeenLittle: Bool { seenCount.load(ordering: .relaxed) < 100 }

  func end() {
    isStopping.store(true, ordering: .relaxed)
    hasEnded.wait()
  }
}

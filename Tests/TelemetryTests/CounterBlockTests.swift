// SPDX-License-Identifier: Apache-2.0

import Glibc
import Telemetry
import Testing

@Suite struct CounterBlockTests {
  @Test(arguments: [(0, 8), (1, 8), (7, 8), (8, 16), (15, 16), (16, 24)])
  func blockIsWholeCacheLines(count: Int, words: Int) {
    #expect(CounterBlock.wordCount(for: count) == words)
  }

  @Test func countersAddUpAndAreSet() {
    let memory = CounterMemory(count: 5)
    let block = memory.block
    defer { withExtendedLifetime(memory) {} }
    #expect(block.values() == [0, 0, 0, 0, 0])
    block.begin()
    block.add(3, to: 0)
    block.add(4, to: 0)
    block.set(9, at: 4)
    block.end()
    #expect(block.values() == [7, 0, 0, 0, 9])
    #expect(block.value(at: 4) == 9)
  }

  @Test func counterWrapsAndDoesNotTrap() {
    let memory = CounterMemory(count: 1)
    memory.block.set(.max, at: 0)
    memory.block.add(2, to: 0)
    #expect(memory.block.value(at: 0) == 1)
    withExtendedLifetime(memory) {}
  }

  @Test func valuesAreNilWhileAChangeIsUnderWay() {
    let memory = CounterMemory(count: 2)
    memory.block.begin()
    memory.block.add(1, to: 0)
    #expect(memory.block.values(attempts: 10) == nil)
    #expect(memory.block.value(at: 0) == 1, "one counter alone is never torn")
    memory.block.end()
    #expect(memory.block.values(attempts: 1) == [1, 0])
    #expect(memory.block.values(attempts: 0) == nil)
    withExtendedLifetime(memory) {}
  }

  @Test func blockWithoutCountersHasNoValues() {
    let memory = CounterMemory(count: 0)
    #expect(memory.block.values() == [])
    withExtendedLifetime(memory) {}
  }

  @Test func neighboursAreNotTouched() {
    let memory = CounterMemory(count: 7)
    for index in 0..<7 { memory.block.set(.max, at: index) }
    #expect(memory.wordBehind == 0)
  }

  /// The counters stand in the first and the second cache line, so that a torn reading would show.
  @Test func readerNeverSeesHalfOfAChange() async {
    let memory = CounterMemory(count: 12)
    let rounds: UInt64 = 200_000
    let writer = Task.detached {
      for _ in 0..<rounds {
        memory.block.begin()
        memory.block.add(1, to: 0)
        memory.block.add(1, to: 11)
        memory.block.end()
      }
    }
    let seen = await Task.detached { watch(memory, until: rounds) }.value
    await writer.value
    #expect(seen.tornCount == 0)
    #expect(seen.wentBackCount == 0)
    #expect(seen.last == rounds)
  }

  @Test func indexBehindTheEndTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = CounterMemory(count: 2).block.value(at: 2)
    }
  }
}

private struct Watch: Sendable {
  var tornCount = 0
  var wentBackCount = 0
  var last: UInt64 = 0
}

private func watch(_ memory: CounterMemory, until rounds: UInt64) -> Watch {
  var watch = Watch()
  while watch.last < rounds {
    guard let values = memory.block.values() else {
      sched_yield()
      continue
    }
    if values[0] != values[11] { watch.tornCount += 1 }
    if values[0] < watch.last { watch.wentBackCount += 1 }
    watch.last = max(watch.last, values[0])
  }
  return watch
}

/// The words of a block, and one more behind them.
@safe
final class CounterMemory: @unchecked Sendable {
  let block: CounterBlock
  private let words: UnsafeMutablePointer<UInt64>
  private let wordCount: Int

  init(count: Int) {
    wordCount = CounterBlock.wordCount(for: count)
    unsafe words = .allocate(capacity: wordCount + 1)
    unsafe words.initialize(repeating: 0, count: wordCount + 1)
    block = unsafe CounterBlock(words: words, count: count)
  }

  deinit { unsafe words.deallocate() }

  var wordBehind: UInt64 { unsafe words[wordCount] }
}

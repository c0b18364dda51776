// SPDX-License-Identifier: Apache-2.0

import Glibc
import Tables
import TestSupport
import Testing

@Suite struct RingTests {
  @Test func emptyRingGivesNothing() throws {
    let ring = try RingMemory<UInt64>(capacity: 4, name: "weft-test")
    var consumer = ring.consumerHalf()
    #expect(consumer.next() == nil)
    #expect(consumer.readyCountSeen == 0)
    #expect(consumer.refreshedReadyCount() == 0)
    #expect(consumer.capacity == 4)
  }

  @Test(arguments: [UInt32(1), 2, 8])
  func fullRingRefusesAndKeepsItsEntries(capacity: UInt32) throws {
    let ring = try RingMemory<UInt64>(capacity: capacity, name: "weft-test")
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    for number in 0..<UInt64(capacity) {
      let isTaken = producer.append(number + 100)
      #expect(isTaken)
    }
    let isRefused = !producer.append(1)
    #expect(isRefused)
    #expect(producer.freeCountSeen == 0)
    producer.publish()
    let isStillRefused = !producer.append(2)
    #expect(isStillRefused)
    #expect(producer.outstandingCount() == capacity)
    #expect(drain(&consumer) == (0..<UInt64(capacity)).map { $0 + 100 })
    withExtendedLifetime(ring) {}
  }

  @Test func entriesAreSeenOnlyAfterPublish() throws {
    let ring = try BareRing(capacity: 4)
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    _ = producer.append(7)
    #expect(ring.producer == 0)
    #expect(consumer.refreshedReadyCount() == 0)
    #expect(consumer.next() == nil)
    producer.publish()
    #expect(ring.producer == 1)
    #expect(consumer.readyCountSeen == 0, "nobody has looked")
    #expect(consumer.next() == 7)
    #expect(consumer.next() == nil)
  }

  @Test func slotsAreFreeOnlyAfterRelease() throws {
    let ring = try BareRing(capacity: 2)
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    _ = producer.append(1)
    _ = producer.append(2)
    producer.publish()
    #expect(consumer.next() == 1)
    #expect(ring.consumer == 0)
    let isRefused = !producer.append(3)
    #expect(isRefused, "the slot is still the consumer's")
    consumer.release()
    #expect(producer.outstandingCount() == 1)
    let isTaken = producer.append(3)
    let isFull = !producer.append(4)
    #expect(isTaken && isFull)
    producer.publish()
    #expect(drain(&consumer) == [2, 3])
  }

  @Test(arguments: [UInt32.max, UInt32.max - 3, 0x7FFF_FFFE])
  func cursorsWrapWithoutLosingAnEntry(start: UInt32) throws {
    let ring = try BareRing(capacity: 4, cursor: start)
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    #expect(producer.freeCountSeen == 4)
    #expect(consumer.readyCountSeen == 0)
    var expected: UInt64 = 0
    for round in UInt64(0)..<10 {
      for number in 0..<4 {
        let isTaken = producer.append(round * 4 + UInt64(number))
        #expect(isTaken)
      }
      let isFull = !producer.append(0)
      #expect(isFull)
      producer.publish()
      #expect(consumer.refreshedReadyCount() == 4)
      while let entry = consumer.next() {
        #expect(entry == expected)
        expected += 1
      }
      consumer.release()
    }
    #expect(expected == 40)
    #expect(ring.producer == start &+ 40)
    #expect(ring.consumer == start &+ 40)
  }

  @Test func takesOverTheCursorsThatItFinds() throws {
    let ring = try BareRing(capacity: 8, cursor: 1000)
    ring.producer = 1003
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    #expect(producer.freeCountSeen == 5)
    #expect(producer.outstandingCount() == 3)
    #expect(consumer.readyCountSeen == 3)
    _ = producer.append(9)
    #expect(ring.entries[1003 % 8] == 9)
    #expect(drain(&consumer).count == 3)
  }

  /// Any interleaving of the two sides is a queue with a published and an unpublished end.
  @Test(arguments: UInt64(0)..<20)
  func behavesAsAQueue(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let capacity = UInt32(1) << UInt32(random.number(below: 6))
    let ring = try BareRing(capacity: capacity, cursor: UInt32.max - 50)
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    var unpublished: [UInt64] = []
    var published: [UInt64] = []
    var held = 0
    for step in UInt64(0)..<2000 {
      let used = unpublished.count + published.count + held
      switch random.number(below: 5) {
      case 0, 1:
        let isTaken = producer.append(step)
        #expect(isTaken == (used < Int(capacity)), "seed \(seed), step \(step)")
        if isTaken { unpublished.append(step) }
      case 2:
        producer.publish()
        published += unpublished
        unpublished = []
      case 3:
        let entry = consumer.next()
        #expect(entry == published.first, "seed \(seed), step \(step)")
        if entry != nil {
          published.removeFirst()
          held += 1
        }
      default:
        consumer.release()
        held = 0
      }
    }
  }

  @Test func twoThreadsMoveAMillionNumbersInOrder() async throws {
    let ring = try RingMemory<UInt64>(capacity: 256, name: "weft-test")
    let count: UInt64 = 1_000_000
    async let sum = Task.detached { consume(count, from: ring) }.value
    await Task.detached { produce(count, into: ring) }.value
    #expect(await sum == count * (count - 1) / 2)
  }
}

/// Takes everything that is ready and gives the slots back.
func drain(_ ring: inout ConsumerRing<UInt64>) -> [UInt64] {
  var entries: [UInt64] = []
  while let entry = ring.next() { entries.append(entry) }
  ring.release()
  return entries
}

private func produce(_ count: UInt64, into ring: RingMemory<UInt64>) {
  var half = ring.producerHalf()
  var number: UInt64 = 0
  while number < count {
    if half.append(number) {
      number += 1
      if number % 7 == 0 { half.publish() }
    } else {
      half.publish()
      sched_yield()
    }
  }
  half.publish()
}

/// The sum of all numbers, or 0 if one was out of order.
private func consume(_ count: UInt64, from ring: RingMemory<UInt64>) -> UInt64 {
  var half = ring.consumerHalf()
  var expected: UInt64 = 0
  var sum: UInt64 = 0
  while expected < count {
    if let number = half.next() {
      guard number == expected else { return 0 }
      sum += number
      expected += 1
      if expected % 5 == 0 { half.release() }
    } else {
      half.release()
      sched_yield()
    }
  }
  return sum
}

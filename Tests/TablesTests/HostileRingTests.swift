// SPDX-License-Identifier: Apache-2.0

import Tables
import TestSupport
import Testing

/// The other side is broken, or wants us to be.
@Suite struct HostileRingTests {
  @Test func producerFarAheadCountsAsAFullRing() throws {
    let ring = try BareRing(capacity: 4)
    var consumer = ring.consumerHalf()
    ring.producer = 1_000_000
    #expect(consumer.refreshedReadyCount() == 4)
    #expect(consumer.readyCountSeen == 4)
    #expect(takenCount(&consumer) == 4)
    #expect(consumer.refreshedReadyCount() == 0, "a whole ring was taken and nothing released")
  }

  @Test func producerFarAheadAtTheStartCountsAsAFullRing() throws {
    let ring = try BareRing(capacity: 4)
    ring.producer = 77
    var consumer = ring.consumerHalf()
    #expect(consumer.readyCountSeen == 4)
    #expect(takenCount(&consumer) == 4)
  }

  @Test func producerThatGoesBackGivesNothing() throws {
    let ring = try BareRing(capacity: 4, cursor: 10)
    var consumer = ring.consumerHalf()
    ring.producer = 13
    #expect(takenCount(&consumer) == 3)
    ring.producer = 11
    #expect(consumer.refreshedReadyCount() == 0)
    #expect(consumer.next() == nil)
    consumer.release()
    #expect(ring.consumer == 13)
  }

  @Test func ourConsumerCursorIsNotReadBack() throws {
    let ring = try BareRing(capacity: 4)
    var consumer = ring.consumerHalf()
    ring.producer = 2
    ring.consumer = 900
    #expect(takenCount(&consumer) == 2)
    consumer.release()
    #expect(ring.consumer == 2)
  }

  @Test(arguments: [1, 5, 1_000_000, UInt32.max - 3])
  func consumerWhereItCannotBeMakesTheRingFull(cursor: UInt32) throws {
    let ring = try BareRing(capacity: 4)
    var producer = ring.producerHalf()
    ring.consumer = cursor
    // -4 is a ring that was full before we came: the only one of these that could be true.
    #expect(producer.refreshedFreeCount() == 0)
    #expect(producer.freeCountSeen == 0)
    #expect(producer.outstandingCount() == 4)
    let isRefused = !producer.append(1)
    #expect(isRefused)
    producer.publish()
    #expect(ring.producer == 0)
  }

  @Test func consumerAheadAtTheStartMakesTheRingFull() throws {
    let ring = try BareRing(capacity: 4)
    ring.consumer = 3
    var producer = ring.producerHalf()
    #expect(producer.freeCountSeen == 0)
    let isRefused = !producer.append(1)
    #expect(isRefused)
  }

  @Test func ringRecoversWhenTheOtherSideDoes() throws {
    let ring = try BareRing(capacity: 4)
    var producer = ring.producerHalf()
    ring.consumer = 50
    #expect(producer.refreshedFreeCount() == 0)
    ring.consumer = 0
    #expect(producer.refreshedFreeCount() == 4)
  }

  @Test(arguments: UInt64(0)..<20)
  func anyCursorKeepsCountsWithinTheRing(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let ring = try BareRing(capacity: 8, cursor: UInt32(truncatingIfNeeded: random.next()))
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    for _ in 0..<500 {
      ring.consumer = UInt32(truncatingIfNeeded: random.next() >> UInt64(random.number(below: 32)))
      ring.producer = UInt32(truncatingIfNeeded: random.next() >> UInt64(random.number(below: 32)))
      #expect(producer.refreshedFreeCount() <= 8, "seed \(seed)")
      #expect(producer.outstandingCount() <= 8, "seed \(seed)")
      _ = producer.append(1)
      #expect(consumer.refreshedReadyCount() <= 8, "seed \(seed)")
      #expect(takenCount(&consumer) <= 8, "seed \(seed)")
      if random.number(below: 2) == 0 { consumer.release() }
    }
  }
}

/// How many entries a loop over `next()` takes; gives up far behind the ring's end.
private func takenCount(_ ring: inout ConsumerRing<UInt64>) -> Int {
  var count = 0
  while count < 1000, ring.next() != nil { count += 1 }
  return count
}

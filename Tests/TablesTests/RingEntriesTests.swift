// SPDX-License-Identifier: Apache-2.0

import Tables
import TestSupport
import Testing

/// Rings used several entries at a time.
@Suite struct RingEntriesTests {
  @Test(arguments: fixedSeeds, [UInt32(0), .max, 0x7FFF_FFFE])
  func runsOfEntriesArriveInOrderAcrossTheEndsOfTheRing(seed: UInt64, cursor: UInt32) throws {
    var random = SeededGenerator(seed: seed)
    let ring = try BareRing(capacity: 16, cursor: cursor)
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    var written: UInt64 = 0
    var read: UInt64 = 0
    for _ in 0..<2000 {
      let wanted = UInt32(random.number(below: 20))
      let room = producer.room(for: wanted)
      #expect(room == min(wanted, 16 - UInt32(written - read)), "\(random)")
      for place in 0..<Int(room) { unsafe producer.upcoming[place] = written + UInt64(place) }
      producer.advance(by: room)
      written += UInt64(room)
      producer.publish()
      let ready = consumer.ready(upTo: UInt32(random.number(below: 20)))
      for place in 0..<Int(ready) {
        let entry = unsafe consumer.upcoming[place]
        #expect(entry == read + UInt64(place), "\(random)")
      }
      consumer.advance(by: ready)
      read += UInt64(ready)
      consumer.release()
    }
    #expect(written > 2000 && read > 2000)
  }

  @Test func runsAndSingleEntriesMix() throws {
    let ring = try BareRing(capacity: 4)
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    _ = producer.append(1)
    #expect(producer.room(for: 9) == 3)
    unsafe producer.upcoming[0] = 2
    producer.advance(by: 1)
    _ = producer.append(3)
    producer.publish()
    #expect(consumer.next() == 1)
    #expect(consumer.ready(upTo: 9) == 2)
    let second = unsafe consumer.upcoming[1]
    #expect(second == 3)
    consumer.advance(by: 1)
    #expect(consumer.next() == 3)
    #expect(consumer.next() == nil)
  }

  @Test func brokenCursorsLeaveNoRoomAndNothingReady() throws {
    let ring = try BareRing(capacity: 4)
    var producer = ring.producerHalf()
    var consumer = ring.consumerHalf()
    ring.consumer = 1
    #expect(producer.room(for: 4) == 4, "what was seen before still holds")
    producer.advance(by: 4)
    #expect(producer.room(for: 1) <= 1)
    ring.consumer = 100
    #expect(producer.room(for: 4) == 0)
    ring.producer = 100
    #expect(consumer.ready(upTo: 64) == 4, "never more than a ring")
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import XDP

/// Tables and rings.
enum TablesBenchmarks {
  static var all: [Benchmark] {
    Parameter.tables.flatMap { entries in
      [
        Benchmark("Tables.lookUpHit.\(entries)-entries", items: LookingUp.count) {
          try LookingUp(entries: entries, areKeysKnown: true)
        },
        Benchmark("Tables.lookUpMiss.\(entries)-entries", items: LookingUp.count) {
          try LookingUp(entries: entries, areKeysKnown: false)
        },
        Benchmark("Tables.insert.\(entries)-entries", items: TableWriting.count) {
          try TableWriting(entries: entries, areKeysNew: true)
        },
        Benchmark("Tables.replace.\(entries)-entries", items: TableWriting.count) {
          try TableWriting(entries: entries, areKeysNew: false)
        },
      ]
    } + [
      Benchmark("Tables.ringProduce.64-entries", items: 64) { try RingFilling() },
      Benchmark("Tables.ringConsume.64-entries", items: 64) { try RingDraining() },
    ]
  }
}

/// Looks keys up in the table of stations, as a reader of a snapshot does.
private struct LookingUp: ~Copyable, Workload {
  static var count: Int { 64 }

  private let fabric: Fabric
  private let snapshot: ForwardingSnapshot
  private let reader: SnapshotReader
  private let keys: [UInt64]
  private let areKeysKnown: Bool
  private var foundCount = 0

  init(entries: Int, areKeysKnown: Bool) throws {
    let fabric = try Fabric(
      stations: entries, senders: Location(Fabric.firstPort), receivers: Fabric.endpoint)
    reader = SnapshotReader(memory: fabric.memory, worker: 0)
    reader.goOnline()
    snapshot = reader.refresh()
    keys = (0..<Self.count).map { index in
      let number = fabric.pair(of: index) + (areKeysKnown ? 0 : entries)
      return SnapshotKey.station(FrameBytes.receiver(number))
    }
    self.areKeysKnown = areKeysKnown
    self.fabric = fabric
  }

  mutating func prepare() { foundCount = 0 }

  mutating func run() {
    let stations = snapshot.stations
    for key in keys where stations.value(for: key) != PagedTableReader.missing {
      foundCount &+= 1
    }
  }

  var isAsExpected: Bool { foundCount == (areKeysKnown ? Self.count : 0) }
}

/// Stores keys, all of them new to the table or none.
private struct TableWriting: ~Copyable, Workload {
  static var count: Int { 64 }

  private let memory: MappedMemory
  private var arena: PageArena
  private var table: PagedTableWriter
  private let keys: [UInt64]
  private let areKeysNew: Bool
  private let entryCount: Int
  private var value: UInt64 = 0
  private var storedCount = 0

  init(entries: Int, areKeysNew: Bool) throws {
    let memory = try MappedMemory(length: 4096 * MappedMemory.pageLength, name: "weft-benchmark")
    var arena = PageArena(memory: memory)
    guard var table = PagedTableWriter(seed: 1, arena: &arena) else { throw Fabric.Refused() }
    for key in 1...entries {
      guard table.store(0, for: UInt64(key), arena: &arena) else { throw Fabric.Refused() }
    }
    self.memory = memory
    self.areKeysNew = areKeysNew
    keys = (0..<Self.count).map { index in
      UInt64(1 + (areKeysNew ? entries + index : index * max(1, entries / Self.count) % entries))
    }
    entryCount = entries
    self.table = table
    self.arena = arena
  }

  mutating func prepare() {
    value += 1
    storedCount = 0
    guard areKeysNew else { return }
    for key in keys { _ = table.remove(key, arena: &arena) }
  }

  mutating func run() {
    for key in keys where table.store(value, for: key, arena: &arena) { storedCount += 1 }
  }

  var isAsExpected: Bool {
    storedCount == Self.count
      && Int(table.header.count) == entryCount + (areKeysNew ? Self.count : 0)
      && keys.allSatisfy { table.value(for: $0, in: arena) == value }
  }
}

/// Appends descriptors and publishes them.
private struct RingFilling: ~Copyable, Workload {
  private let memory: RingMemory<XDPDescriptor>
  private var producer: ProducerRing<XDPDescriptor>
  private var consumer: ConsumerRing<XDPDescriptor>
  private var appendedCount = 0

  init() throws {
    memory = try RingMemory(capacity: 2048, name: "weft-benchmark")
    producer = memory.producerHalf()
    consumer = memory.consumerHalf()
  }

  mutating func prepare() {
    while consumer.next() != nil {}
    consumer.release()
    appendedCount = 0
  }

  mutating func run() {
    for index in 0..<64
    where producer.append(XDPDescriptor(address: UInt64(index), length: 64)) {
      appendedCount &+= 1
    }
    producer.publish()
  }

  var isAsExpected: Bool { appendedCount == 64 }
}

/// Takes descriptors that were published and gives their slots back.
private struct RingDraining: ~Copyable, Workload {
  private let memory: RingMemory<XDPDescriptor>
  private var producer: ProducerRing<XDPDescriptor>
  private var consumer: ConsumerRing<XDPDescriptor>
  private var takenLength: UInt32 = 0

  init() throws {
    memory = try RingMemory(capacity: 2048, name: "weft-benchmark")
    producer = memory.producerHalf()
    consumer = memory.consumerHalf()
  }

  mutating func prepare() {
    for index in 0..<64 { _ = producer.append(XDPDescriptor(address: UInt64(index), length: 1)) }
    producer.publish()
  }

  mutating func run() {
    takenLength = 0
    while let descriptor = consumer.next() { takenLength &+= descriptor.length }
    consumer.release()
  }

  var isAsExpected: Bool { takenLength == 64 }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux
import CProbe
import Forwarding
import Foundation
import Inet
import Synchronization
import Tables

/// A published table in which stations move.
struct Changes: ~Copyable {
  private let cast: TableCast
  private var table: PublishedStations
  private var random = SeededRandom(seed: 2)
  private var round = 0

  /// Changes that are timed together.
  static let count = 64

  /// Publishes a table of this many stations.
  init(entries: Int) throws {
    cast = TableCast(entries: entries, seed: 1)
    table = try PublishedStations(cast)
  }

  /// Bytes of all pages of the snapshot.
  var length: Int { table.length }

  /// Begins to read on another core, as worker 1.
  func startReader(core: Int) -> LiveReader {
    LiveReader(
      memory: table.memory, keys: cast.stations.prefix(4096).map(SnapshotKey.station), core: core)
  }

  /// Moves stations for this long, one with each publication.
  mutating func publish(seconds: Double, in run: ScenarioRun) throws -> Sample {
    try Passes.measure(seconds: seconds, items: Changes.count, in: run) {
      for _ in 0..<Changes.count {
        let number = random.number(below: cast.stations.count)
        round &+= 1
        table.move(number, mac: cast.stations[number], round: round)
      }
    }
  }
}

/// Reads snapshots without pause, as a worker does that has much to do.
final class LiveReader: Sendable {
  private let isStopping = Atomic<Bool>(false)
  private let hasEnded = DispatchSemaphore(value: 0)

  init(memory: SnapshotMemory, keys: [UInt64], core: Int) {
    let hasBegun = DispatchSemaphore(value: 0)
    Thread { [self] in
      _ = clinux_pin_thread(UInt32(core))
      let reader = SnapshotReader(memory: memory, worker: 1)
      reader.goOnline()
      hasBegun.signal()
      var next = 0
      while !isStopping.load(ordering: .relaxed) {
        let stations = reader.refresh().stations
        for _ in 0..<64 {
          next = (next + 1) % keys.count
          _ = stations.value(for: keys[next])
        }
      }
      reader.goOffline()
      hasEnded.signal()
    }.start()
    hasBegun.wait()
  }

  /// Waits until nothing is read any more.
  func end() {
    isStopping.store(true, ordering: .relaxed)
    hasEnded.wait()
  }
}

/// The competitor `copy`: two blocks of memory.
final class Copier {
  private let handle: UInt64

  init(length: Int) throws {
    handle = cprobe_make_copier(UInt64(length))
    guard handle != 0 else {
      throw ScenarioError(.unavailable, "there is no memory for two copies of \(length) bytes")
    }
  }

  deinit {
    if handle != 0 { cprobe_free_copier(handle) }
  }

  /// Copies for this long, all of it each time.
  func copy(seconds: Double, in run: ScenarioRun) throws -> Sample {
    try Passes.measure(seconds: seconds, items: 1, in: run) { cprobe_copy(handle) }
  }
}

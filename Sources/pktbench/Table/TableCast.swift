// SPDX-License-Identifier: Apache-2.0

import CProbe
import Inet

/// Who is in the table, and whom somebody looks for: the same for ours and for the C probe.
struct TableCast: Sendable {
  /// The stations, all different and none of them zero.
  let stations: [MACAddress]
  /// Places in `stations` of those that are looked for, one after the other.
  let wanted: [Int]

  /// How many are looked for in one pass.
  static let wantedCount = Int(CPROBE_WANTED)

  /// Random addresses of which any may be looked for at any time.
  init(entries: Int, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var known: Set<UInt64> = []
    var stations: [MACAddress] = []
    while stations.count < entries {
      // Nobody's address is a group's, and none is zero.
      let bits = random.next() & 0xFEFF_FFFF_FFFF | 1
      if known.insert(bits).inserted { stations.append(MACAddress(bits: bits)) }
    }
    self.stations = stations
    wanted = (0..<TableCast.wantedCount).map { _ in random.number(below: entries) }
  }
}

/// The competitor `c-probe`: what plain C needs to look the same stations up.
final class FlatTable {
  /// As users call it.
  static let name = "c-probe"
  /// Frames in one pass of `writeHeaders()`.
  static let frameCount = Int(CPROBE_FRAMES)

  private let handle: UInt64
  private let expected: UInt64
  private let expectedOfFrames: UInt64

  init(_ cast: TableCast) throws {
    handle = cprobe_make(UInt64(cast.stations.count))
    guard handle != 0 else {
      throw ScenarioError(.unavailable, "there is no memory for \(cast.stations.count) entries")
    }
    for (number, mac) in cast.stations.enumerated() {
      cprobe_put(handle, mac.bits, FlatTable.value(number))
    }
    for (place, number) in cast.wanted.enumerated() {
      cprobe_want(handle, UInt64(place), cast.stations[number].bits)
    }
    expected = cast.wanted.reduce(0) { $0 + FlatTable.value($1) }
    expectedOfFrames = cast.wanted.prefix(FlatTable.frameCount).reduce(0) {
      $0 + FlatTable.value($1)
    }
  }

  deinit {
    if handle != 0 { cprobe_free(handle) }
  }

  /// Looks every wanted station up, for this long in all; the pass in the middle counts.
  func lookUp(seconds: Double, in run: ScenarioRun) throws -> Sample {
    try Passes.measure(seconds: seconds, items: TableCast.wantedCount, in: run) {
      guard cprobe_look_up(handle) == expected else { throw FlatTable.isWrong }
    }
  }

  /// Looks up and writes headers in front of every frame, for this long in all; the pass in the
  /// middle counts.
  func writeHeaders(seconds: Double, in run: ScenarioRun) throws -> Sample {
    try Passes.measure(seconds: seconds, items: FlatTable.frameCount, in: run) {
      guard cprobe_write_headers(handle) == expectedOfFrames else { throw FlatTable.isWrong }
    }
  }

  private static func value(_ number: Int) -> UInt64 { UInt64(number & 63) }

  private static let isWrong = ScenarioError(
    .failed, "the C probe found something else than was stored; this is a mistake in it")
}

/// The same work over and over, of which the time in the middle is taken.
///
/// A pass takes much less time than a turn of another program: few are interrupted by one, and
/// those are not in the middle.
enum Passes {
  /// Makes passes over `items` until they took `seconds` together.
  ///
  /// What `prepare` does before each of them takes no part in the time.
  static func measure(
    seconds: Double, items: Int, in run: ScenarioRun, prepare: () throws -> Void = {},
    pass: () throws -> Void
  ) throws -> Sample {
    let wanted = UInt64(seconds * 1e9)
    var spent: UInt64 = 0
    var times: [UInt64] = []
    repeat {
      try run.check()
      try prepare()
      let started = Stopwatch.now
      try pass()
      let took = Stopwatch.now - started
      spent += took
      times.append(took)
    } while spent < wanted
    times.sort()
    return Sample(frames: items, seconds: Double(times[times.count / 2]) / 1e9)
  }
}

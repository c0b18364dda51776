// SPDX-License-Identifier: Apache-2.0

import Foundation
import Mesh
import Testing

/// What a world follows from: its seed and how many peers it begins with.
struct WorldRun: Sendable, CustomTestStringConvertible {
  let seed: UInt64
  let peerCount: Int

  var testDescription: String { "seed \(seed), \(peerCount) peers" }

  private static let environment = ProcessInfo.processInfo.environment

  /// Whether everything is tried in full.
  static let isSoak = environment["WEFT_SOAK"] == "1"

  /// A few small worlds.
  ///
  /// With `WEFT_SOAK=1` a hundred of fifty peers, with `WEFT_WORLD_SEED` the one that a failure
  /// printed. `WEFT_WORLD_PEERS` sets the size of all. What a world costs grows with about the
  /// third power of its size: one of fifty takes from a quarter of a minute to minutes, optimised.
  static func runs(_ count: Int) -> [WorldRun] {
    let size = environment["WEFT_WORLD_PEERS"].flatMap { Int($0) }.map { max(8, $0) }
    if let seed = environment["WEFT_WORLD_SEED"].flatMap({ UInt64($0) }) {
      return [WorldRun(seed: seed, peerCount: size ?? 10)]
    }
    guard isSoak else {
      return (0..<count).map { WorldRun(seed: UInt64($0) + 1, peerCount: size ?? 10) }
    }
    return (1...100).map { WorldRun(seed: $0, peerCount: size ?? 50) }
  }

  /// Whether figures are printed.
  static let hasFigures = isSoak || environment["WEFT_WORLD_SEED"] != nil

  /// The command that repeats exactly this.
  func command(_ test: String) -> String {
    "WEFT_WORLD_SEED=\(seed) WEFT_WORLD_PEERS=\(peerCount)"
      + " swift test --filter SimulationTests.\(test)"
  }
}

extension World {
  /// Fails the test that runs in this world, with all that is needed to see why.
  func fail(_ problem: String, in test: String) {
    Issue.record(
      """
      \(test), \(run.testDescription), after \(elapsed.description) s: \(problem)
      the last events:
      \(journal.lastEvents)
      repeat with: \(run.command(test))
      """)
  }

  /// Fails the test if anything was wrong so far; whether all is well.
  func isSound(in test: String) -> Bool {
    guard let problem else { return true }
    fail(problem, in: test)
    return false
  }

  /// Seconds since the world began.
  var elapsed: Double { Double(now.nanoseconds) / 1e9 - 1 }
}

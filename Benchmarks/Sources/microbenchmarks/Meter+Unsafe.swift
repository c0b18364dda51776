// SPDX-License-Identifier: Apache-2.0

internal import CCounting
internal import Glibc

/// Runs a workload often enough and takes its measure.
///
/// Proof of safety: the counter copies the name it is given, and the clock writes one local value.
struct Meter {
  /// What is measured.
  enum Quantity {
    /// Machine instructions; callgrind counts them and writes them to a file.
    case instructions
    /// Wall time, which says something about this machine at this moment only.
    case time
  }

  /// The workload did something else than its name says.
  struct Unexpected: Error, CustomStringConvertible {
    let description = "a run left a state that it should not; see isAsExpected of its workload"
  }

  /// Runs before the first one that counts, after which no ring and no buffer grows any more.
  static var warmUpCount: Int { 32 }

  private let quantity: Quantity
  private let name: String

  init(_ quantity: Quantity, name: String) {
    self.quantity = quantity
    self.name = name
  }

  /// Measures runs of `work`, each of which handles `items`.
  ///
  /// Returns how many items were counted, or the time for one.
  func measure<Work: Workload & ~Copyable>(_ work: inout Work, items: Int) throws -> String {
    for _ in 0..<Meter.warmUpCount {
      work.prepare()
      perform(&work)
    }
    guard work.isAsExpected else { throw Unexpected() }
    switch quantity {
    case .instructions: return count(&work, items: items)
    case .time: return time(&work, items: items)
    }
  }

  /// As many runs as it takes to make one run's share of whatever happens once negligible.
  private func count<Work: Workload & ~Copyable>(_ work: inout Work, items: Int) -> String {
    let runs = max(32, 1024 / items)
    ccounting_watch()
    for _ in 0..<runs {
      work.prepare()
      ccounting_toggle()
      perform(&work)
      ccounting_toggle()
    }
    unsafe ccounting_report(name)
    return "\(runs * items)"
  }

  /// The median of rounds of many runs each.
  private func time<Work: Workload & ~Copyable>(_ work: inout Work, items: Int) -> String {
    let runs = max(256, 65_536 / items)
    var rounds: [Double] = []
    for _ in 0..<11 {
      var nanoseconds: Int64 = 0
      for _ in 0..<runs {
        work.prepare()
        let start = Meter.now()
        perform(&work)
        nanoseconds += Meter.now() - start
      }
      rounds.append(Double(nanoseconds) / Double(runs * items))
    }
    let median = rounds.sorted()[rounds.count / 2]
    return "\(Meter.rounded(median)) ns, \(Meter.rounded(1000 / median)) million a second"
  }

  /// A call of its own, so that nothing is moved in front of the counter's start or behind its end.
  @inline(never)
  private func perform<Work: Workload & ~Copyable>(_ work: inout Work) { work.run() }

  private static func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}

// SPDX-License-Identifier: Apache-2.0

/// An operation to be measured, with the state it works on.
protocol Workload: ~Copyable {
  /// Brings the state to where `run()` starts from; not measured.
  mutating func prepare()

  /// The operation.
  mutating func run()

  /// Whether the last run did what the benchmark's name says.
  var isAsExpected: Bool { get }
}

/// A measured operation and its name, `Module.operation.parameter`.
struct Benchmark {
  let name: String
  let measure: (Meter) throws -> String

  /// Measures what `make` returns.
  ///
  /// - `items`: what one run handles, frames for example; the result is for one of them.
  init<Work: Workload & ~Copyable>(
    _ name: String, items: Int, _ make: @escaping () throws -> Work
  ) {
    self.name = name
    measure = { meter in
      var work = try make()
      return try meter.measure(&work, items: items)
    }
  }
}

/// What the parameters of benchmarks are taken from.
enum Parameter {
  /// Frames drawn together.
  static let batches = [1, 16, 64]
  /// Entries of a table.
  static let tables = [16, 1024, 65_536]
}

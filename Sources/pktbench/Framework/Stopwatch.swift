// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// The clock that short times are measured with.
enum Stopwatch {
  /// Nanoseconds since some moment; never goes back.
  static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// What it costs to look twice, in nanoseconds: the median of many tries.
  static func cost() -> UInt64 {
    let tries = (0..<1001).map { _ in
      let first = now
      return now - first
    }
    return tries.sorted()[tries.count / 2]
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Synchronization

/// Work on one core of a room, beside what else is done, with an outcome to be waited for.
final class Errand<Value: Sendable>: Sendable {
  private let outcome = Mutex<Result<Value, any Error>?>(nil)
  private let isDone = DispatchSemaphore(value: 0)

  /// Begins at once; `body` ends by itself.
  init(in room: Room, core: Int, _ body: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread { [self] in
      let result = Result {
        try room.visit {
          _ = clinux_pin_thread(UInt32(core))
          return try body()
        }
      }
      outcome.withLock { $0 = result }
      isDone.signal()
    }
  }

  /// Waits for its end; may be called again.
  func wait() throws -> Value {
    isDone.wait()
    isDone.signal()
    guard let result = outcome.withLock({ $0 }) else {
      throw ScenarioError(.failed, "an errand in a network namespace came to no end")
    }
    return try result.get()
  }
}

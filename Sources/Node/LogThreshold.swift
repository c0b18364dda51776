// SPDX-License-Identifier: Apache-2.0

package import Logging
internal import Synchronization

/// The least important level that is still written, by every logger that shares it.
package final class LogThreshold: Sendable {
  private let shared: Mutex<Logger.Level>

  /// Begins at a level.
  package init(_ level: Logger.Level) { shared = Mutex(level) }

  /// The level, as of now.
  package var level: Logger.Level {
    get { shared.withLock { $0 } }
    set { shared.withLock { $0 = newValue } }
  }
}

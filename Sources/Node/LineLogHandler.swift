// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import Logging

/// Writes one line for each event to standard error: time, level, event, then key=value.
package struct LineLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  private let threshold: LogThreshold
  /// What this logger leaves out even if the threshold would let it pass.
  private var floor = Logger.Level.trace
  private let write: @Sendable (String) -> Void

  /// A handler that hands complete lines, each with its newline, to `write`.
  package init(threshold: LogThreshold, write: @escaping @Sendable (String) -> Void) {
    self.threshold = threshold
    self.write = write
  }

  /// The level that the threshold, or this logger's own, lets pass; whichever is less talkative.
  package var logLevel: Logger.Level {
    get { max(threshold.level, floor) }
    set { floor = newValue }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let fields = all.sorted { $0.key < $1.key }
      .map { " \($0.key)=\(LineLogHandler.quoted("\($0.value)"))" }.joined()
    let time = Date.now.formatted(.iso8601)
    write("\(time) \(event.level) \(LineLogHandler.plain("\(event.message)"))\(fields)\n")
  }

  /// Quotes what has spaces or quotes in it, so that a line can be taken apart again.
  static func quoted(_ text: String) -> String {
    let needsQuotes =
      text.isEmpty || text.utf8.contains { $0 <= 32 || $0 == 34 || $0 == 61 || $0 == 127 }
    guard needsQuotes else { return text }
    let inner = plain(text).split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + inner.joined(separator: "\\\"") + "\""
  }

  /// Makes control characters harmless: an event is one line whatever it is about.
  static func plain(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
  }
}

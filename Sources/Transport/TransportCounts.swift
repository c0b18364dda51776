// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What the transport counted since its start, and what it holds now.
package struct TransportCounts: Sendable, Equatable {
  /// Links that others dialled and that were let in.
  package var linksAccepted = 0
  /// Links that we dialled and that were answered.
  package var linksDialed = 0
  /// Links that we dialled in vain.
  package var dialsFailed = 0
  /// Links closed at once as there were too many.
  package var linksRefused = 0
  /// How often links had to wait to be let in, as too many came.
  package var acceptsDelayed = 0
  /// How often the kernel could not let a link in, mostly for want of descriptors.
  package var acceptsFailed = 0
  /// Links closed as the other end took too little of what was sent.
  package var linksTooSlow = 0
  /// Links now, those being dialled among them.
  package var links = 0
  /// Bytes handed up and not yet consumed.
  package var unconsumedLength = 0
  /// Bytes of links that wait to be sent.
  package var unsentLength = 0

  /// Nothing counted.
  package init() {}
}

/// Counts that several threads change.
final class TransportCounter: Sendable {
  private let counts = Mutex(TransportCounts())

  var now: TransportCounts { counts.withLock { $0 } }

  func count(_ change: (inout TransportCounts) -> Void) {
    counts.withLock { change(&$0) }
  }
}

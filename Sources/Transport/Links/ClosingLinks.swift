// SPDX-License-Identifier: Apache-2.0

internal import Mesh
internal import Synchronization

/// Links that somebody on another thread asked to close and that the event loop still has.
///
/// Nothing more is told of them, though the loop may not yet have come to the request.
final class ClosingLinks: Sendable {
  private let links = Mutex<Set<LinkIdentifier>>([])

  func insert(_ link: LinkIdentifier) {
    links.withLock { _ = $0.insert(link) }
  }

  func remove(_ link: LinkIdentifier) {
    links.withLock { _ = $0.remove(link) }
  }

  func contains(_ link: LinkIdentifier) -> Bool {
    links.withLock { $0.contains(link) }
  }
}

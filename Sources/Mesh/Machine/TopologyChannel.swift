// SPDX-License-Identifier: Apache-2.0

import Inet

/// When the channel `topology` has something to do (wire notes, section 9.2).
struct TopologyChannel: Sendable {
  /// Whom the next announcement is about, besides ourselves.
  private var announced: Set<PeerName> = []
  /// When changes are told; nil: there are none.
  private(set) var announceAt: MeshInstant?
  /// When they were told last.
  private var announcedAt: MeshInstant?
  /// When peers that are gone are looked for; nil: nothing changed.
  private(set) var collectAt: MeshInstant?

  /// When something is to be done.
  var nextDeadline: MeshInstant? { [announceAt, collectAt].compactMap(\.self).min() }

  /// Something about us and these peers is to be told, together with what follows soon; what is
  /// urgent at once, but not more often than anything else.
  mutating func schedule(
    about names: some Sequence<PeerName>, isUrgent: Bool = false, now: MeshInstant
  ) {
    announced.formUnion(names)
    let usual = announceAt ?? now.advanced(by: MeshTiming.announcement)
    announceAt = usual
    guard isUrgent else { return }
    let earliest = announcedAt?.advanced(by: MeshTiming.announcement) ?? now
    announceAt = min(usual, max(now, earliest))
  }

  /// An update came: soon somebody may be unreachable.
  mutating func scheduleCollection(now: MeshInstant) {
    collectAt = collectAt ?? now.advanced(by: MeshTiming.collection)
  }

  /// Whom to announce, if it is time.
  mutating func takeAnnouncement(now: MeshInstant) -> Set<PeerName>? {
    guard announceAt.isDue(now) else { return nil }
    announceAt = nil
    announcedAt = now
    defer { announced = [] }
    return announced
  }

  /// Peers that are gone are being looked for.
  mutating func collected() { collectAt = nil }
}

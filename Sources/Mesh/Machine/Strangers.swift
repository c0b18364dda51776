// SPDX-License-Identifier: Apache-2.0

import Inet

/// Those who dialled us and have not presented themselves yet, the first one first.
///
/// There are only so many at once, so that nobody who just connects uses up memory: the oldest one
/// leaves for the newest.
struct Strangers: Sendable {
  /// At once, of all hosts.
  static let countMax = 64
  /// At once, of one host.
  static let countMaxPerHost = 16

  private(set) var waiting: [(link: LinkIdentifier, host: IPv4Address)] = []

  /// Adds one; returns who has to leave.
  mutating func insert(_ link: LinkIdentifier, from host: IPv4Address) -> LinkIdentifier? {
    var leaving: Int?
    if waiting.count(where: { $0.host == host }) >= Self.countMaxPerHost {
      leaving = waiting.firstIndex { $0.host == host }
    } else if waiting.count >= Self.countMax {
      leaving = 0
    }
    let link = (link: link, host: host)
    defer { waiting.append(link) }
    return leaving.map { waiting.remove(at: $0).link }
  }

  /// Takes one out who is none any more.
  mutating func remove(_ link: LinkIdentifier) {
    waiting.removeAll { $0.link == link }
  }
}

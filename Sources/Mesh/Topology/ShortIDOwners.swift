// SPDX-License-Identifier: Apache-2.0

import Inet

/// Who owns each short number: of those that say they have it, the one with the lowest name.
///
/// Claims are noted at once. When an owner lets go, who is next is found out by `refresh`, once for
/// any number of changes, so that an update costs no more than one look at everybody.
struct ShortIDOwners: Sendable {
  /// By number; the unknown name where nobody is, which is no peer's.
  private var owners = [PeerName](repeating: .unknown, count: ShortID.count)
  private var isStale = false

  subscript(shortID: ShortID) -> PeerName? {
    let owner = owners[Int(shortID.number)]
    return owner == .unknown ? nil : owner
  }

  mutating func claim(_ shortID: ShortID?, by name: PeerName) {
    guard let shortID else { return }
    if let owner = self[shortID], owner < name { return }
    owners[Int(shortID.number)] = name
  }

  mutating func release(_ shortID: ShortID?, by name: PeerName) {
    if let shortID, self[shortID] == name { isStale = true }
  }

  /// To be called after releases, before anybody asks.
  mutating func refresh(_ peers: [PeerName: PeerDescription]) {
    guard isStale else { return }
    self = ShortIDOwners()
    for (name, peer) in peers { claim(peer.shortID, by: name) }
  }

  /// A number that nobody has; nil if all are taken.
  func unused(random: inout some RandomNumberGenerator) -> ShortID? {
    for _ in 0..<10 {
      let shortID = ShortID(truncating: UInt32.random(in: 0..<4096, using: &random))
      if self[shortID] == nil { return shortID }
    }
    let free = owners.indices.filter { owners[$0] == .unknown }
    return free.randomElement(using: &random).flatMap { ShortID($0) }
  }
}

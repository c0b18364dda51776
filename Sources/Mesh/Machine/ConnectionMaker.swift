// SPDX-License-Identifier: Apache-2.0

import Inet

/// Decides whom to dial, and when (wire notes, section 11).
///
/// It knows the user's targets and, for every address that is to become a connection, how far that
/// is. What else it needs is handed in as a `View`.
struct ConnectionMaker: Sendable {
  /// The mesh as it is now.
  struct View: Sendable {
    /// Whom we are connected with.
    var connected: [PeerName: LinkIdentifier] = [:]
    /// Hosts that have dialled us and are connected.
    var inboundHosts: Set<IPv4Address> = []
    /// Addresses of peers of peers.
    var discovered: Set<SocketAddress> = []
    /// Connections that may still be added.
    var room = Int.max
  }

  /// An address that is, or is to become, a connection.
  struct Candidate: Sendable, Equatable {
    /// How far it is.
    enum Phase: Sendable, Equatable {
      /// Not dialled until then; nil: never again.
      case waiting(until: MeshInstant?)
      /// Dialled, or connected with somebody who has not presented himself.
      case dialing(LinkIdentifier)
      /// A connection of ours.
      case connected(LinkIdentifier)
    }

    /// How far it is.
    var phase: Phase
    /// When the last attempt was due.
    var scheduledAt: MeshInstant
    /// The wait after the next failure, before chance has its part.
    var interval = Backoff.first
    /// Why the last attempt failed; nil: it did not.
    var problem: String?
    /// Who answered there the last time.
    var peer: PeerName?
    /// Whether the user asked for it.
    var isUserMade: Bool
  }

  /// Addresses of peers of peers that are kept at most.
  static let discoveredCountMax = 1024
  /// Addresses that are dialled at the same time at most.
  static let dialingCountMax = 64

  /// The port of targets without one.
  private let port: UInt16
  /// What the user asked for, in that order.
  private(set) var targets: [MeshTarget] = []
  /// Every address that is or is to become a connection.
  private(set) var candidates: [SocketAddress: Candidate] = [:]

  /// Knows nobody yet.
  init(port: UInt16) { self.port = port }

  // MARK: The user's wishes

  /// Be connected with these, at once.
  mutating func connect(_ new: [MeshTarget], isReplacing: Bool, now: MeshInstant) {
    if isReplacing {
      let texts = Set(new.map(\.text))
      targets.removeAll { !texts.contains($0.text) }
    }
    for target in new {
      if let index = targets.firstIndex(where: { $0.text == target.text }) {
        // What a name meant stays until it means something else.
        if !target.addresses.isEmpty { targets[index] = target }
      } else {
        targets.append(target)
      }
      for address in addresses(of: target) { retryNow(address, now: now) }
    }
  }

  /// Dial these no more.
  mutating func forget(_ old: [MeshTarget]) {
    let texts = Set(old.map(\.text))
    targets.removeAll { texts.contains($0.text) }
  }

  /// The addresses of a target, with its port or ours.
  func addresses(of target: MeshTarget) -> [SocketAddress] {
    target.hasPort
      ? target.addresses : target.addresses.map { SocketAddress($0.address, port: port) }
  }

  private mutating func retryNow(_ address: SocketAddress, now: MeshInstant) {
    guard case .waiting? = candidates[address]?.phase else { return }
    candidates[address]?.phase = .waiting(until: now)
    candidates[address]?.scheduledAt = now
    candidates[address]?.interval = Backoff.first
    // Somebody else may be there by now.
    candidates[address]?.peer = nil
  }

  // MARK: What to dial

  /// Brings the candidates in line with what is wanted; returns which to dial now, in order.
  ///
  /// Each of them has to be followed by `dialing(_:_:)`.
  mutating func plan(_ view: View, now: MeshInstant) -> [SocketAddress] {
    renew(view, now: now)
    var room = min(view.room, Self.dialingCountMax) - dialingCount
    var due: [Due] = []
    for (address, candidate) in candidates {
      guard case .waiting(let until?) = candidate.phase, until <= now,
        !isConnected(candidate, view)
      else { continue }
      due.append(Due(address: address, at: until, isUserMade: candidate.isUserMade))
    }
    due.sort()
    room = max(0, min(room, due.count))
    return due.prefix(room).map(\.address)
  }

  /// When `plan` has something to do; nil: not before something else happens.
  func nextDeadline(_ view: View) -> MeshInstant? {
    guard view.room > dialingCount, dialingCount < Self.dialingCountMax else { return nil }
    var next: MeshInstant?
    for candidate in candidates.values {
      guard case .waiting(let until?) = candidate.phase, !isConnected(candidate, view) else {
        continue
      }
      next = min(next ?? until, until)
    }
    return next
  }

  /// Addresses that are being dialled.
  var dialingCount: Int {
    candidates.values.count {
      if case .dialing = $0.phase { true } else { false }
    }
  }

  private mutating func renew(_ view: View, now: MeshInstant) {
    var wanted: [SocketAddress: Bool] = [:]
    for target in targets {
      for address in addresses(of: target)
      where target.hasPort || !view.inboundHosts.contains(address.address) {
        wanted[address] = true
      }
    }
    for address in view.discovered where wanted[address] == nil { wanted[address] = false }
    for (address, candidate) in candidates {
      if let isUserMade = wanted[address] {
        candidates[address]?.isUserMade = isUserMade
      } else if case .waiting = candidate.phase {
        candidates[address] = nil
      } else {
        candidates[address]?.isUserMade = false
      }
    }
    var room = Self.discoveredCountMax - candidates.values.count { !$0.isUserMade }
    for (address, isUserMade) in wanted.sorted(by: { Self.precedes($0.key, $1.key) })
    where candidates[address] == nil && (isUserMade || room > 0) {
      room -= isUserMade ? 0 : 1
      candidates[address] = Candidate(
        phase: .waiting(until: now), scheduledAt: now, isUserMade: isUserMade)
    }
  }

  /// Whether the peer that answered there is connected with us by another way: a second connection
  /// would only fight with the first.
  private func isConnected(_ candidate: Candidate, _ view: View) -> Bool {
    candidate.peer.map { view.connected[$0] != nil } ?? false
  }

  // MARK: What became of it

  /// The address is being dialled.
  mutating func dialing(_ address: SocketAddress, _ link: LinkIdentifier) {
    guard case .waiting(let until)? = candidates[address]?.phase else { return }
    candidates[address]?.phase = .dialing(link)
    if let until { candidates[address]?.scheduledAt = until }
  }

  /// The address for which a link was dialled; nil if that is not wanted any more.
  func address(dialing link: LinkIdentifier) -> SocketAddress? {
    candidates.first { $0.value.phase == .dialing(link) }?.key
  }

  /// Somebody presented himself there.
  mutating func answered(_ address: SocketAddress, peer: PeerName) {
    candidates[address]?.peer = peer
  }

  /// It is a connection now.
  mutating func connected(_ address: SocketAddress, _ link: LinkIdentifier) {
    candidates[address]?.phase = .connected(link)
    candidates[address]?.problem = nil
  }

  /// The attempt failed or the connection ended; `isFinal`: dialling again cannot help,
  /// `hasWorked`: its overlay was established.
  ///
  /// A connection that never worked is no better than an attempt, however long it lived: where
  /// datagrams are lost it ends after a minute each time.
  mutating func ended(
    _ address: SocketAddress, problem: String, isFinal: Bool, hasWorked: Bool,
    now: MeshInstant, random: inout some RandomNumberGenerator
  ) {
    guard var candidate = candidates[address] else { return }
    defer { candidates[address] = candidate }
    candidate.problem = problem
    let age = candidate.scheduledAt.duration(to: now)
    if isFinal {
      candidate.phase = .waiting(until: nil)
    } else if case .connected = candidate.phase, hasWorked, age >= Backoff.reset {
      candidate.interval = Backoff.first
      candidate.phase = .waiting(until: now)
    } else {
      let wait = Backoff.wait(candidate.interval, random: &random)
      candidate.phase = .waiting(until: now.advanced(by: wait))
      candidate.interval = Backoff.next(after: candidate.interval)
    }
  }

  /// An address to be dialled: first what the user asked for, then whoever waits longest, so that
  /// nobody waits for ever.
  private struct Due: Comparable {
    let address: SocketAddress
    let at: MeshInstant
    let isUserMade: Bool

    static func < (left: Due, right: Due) -> Bool {
      if left.isUserMade != right.isUserMade { return left.isUserMade }
      if left.at != right.at { return left.at < right.at }
      return ConnectionMaker.precedes(left.address, right.address)
    }
  }

  /// Orders addresses, so that equal inputs lead to equal outputs.
  static func precedes(_ left: SocketAddress, _ right: SocketAddress) -> Bool {
    (left.address.bits, left.port) < (right.address.bits, right.port)
  }
}

/// How long to wait after failures: 2 s, half as long again after each, up to 6 min; chance makes
/// half to one and a half times as much of it.
enum Backoff {
  /// After the first failure.
  static let first = Duration.seconds(2)
  /// At most.
  static let last = Duration.seconds(360)
  /// A connection that lived so long and worked is dialled again at once.
  static let reset = Duration.seconds(60)

  /// What follows a wait.
  static func next(after interval: Duration) -> Duration { min(interval * 3 / 2, last) }

  /// A wait of about `interval`.
  static func wait(
    _ interval: Duration, random: inout some RandomNumberGenerator
  ) -> Duration {
    let whole = interval / .nanoseconds(1)
    return .nanoseconds(Int64.random(in: Int64(whole / 2)..<Int64(whole * 3 / 2), using: &random))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport

/// What the network does to what travels through it.
struct Conditions {
  /// An ordered pair of hosts.
  struct Way: Hashable {
    let from: Int
    let to: Int
  }

  var delay = Duration.milliseconds(1)...Duration.milliseconds(50)
  /// Of 10,000 datagrams, or segments of TCP.
  var lossPer10000 = 0
  var duplicatesPer10000 = 0
  var latePer10000 = 0
  /// A dial that nobody answers fails after that.
  var dialTimeout = Duration.seconds(10)
  /// The part of the network that a host is in; hosts of different parts do not hear each other.
  var parts: [Int: Int] = [:]
  /// Ways that datagrams do not take.
  var deafForDatagrams: Set<Way> = []
  /// Ways that datagrams of one overlay do not take.
  var deafForOverlay: [OverlayKind: Set<Way>] = [:]
  /// What ways carry in one piece, other than 1500 bytes with all headers.
  var pathMTUs: [Way: Int] = [:]
  /// Whether routers say so to who sends more.
  var hasRouters = false
  /// Ways that nobody can dial.
  var deafForDials: Set<Way> = []

  func isOpen(_ one: Int, _ other: Int) -> Bool {
    parts[one, default: 0] == parts[other, default: 0]
  }
}

/// The TCP connections that there are, and were.
struct Network {
  struct Half {
    let host: Int
    let incarnation: Int
    let link: LinkIdentifier
    var isOpen = true
    /// When the last of what was sent to it arrives.
    var lastArrival = MeshInstant(nanoseconds: 0)
    /// What could not be sent to it, as the path is cut.
    var held: [[UInt8]] = []
  }

  var sessions: [[Half]] = []
  /// Sessions of which something is held.
  var stuck: Set<Int> = []
}

extension World {
  // MARK: Delays

  /// Whether something happens that happens so often.
  func chance(of10000 count: Int) -> Bool { count > 0 && random.number(below: 10_000) < count }

  func delay() -> Duration {
    let low = conditions.delay.lowerBound / .nanoseconds(1)
    let high = conditions.delay.upperBound / .nanoseconds(1)
    return .nanoseconds(Int(low) + random.number(below: max(1, Int(high - low))))
  }

  /// TCP repeats what is lost, each time after twice as long.
  private func delayWithRepetitions() -> Duration {
    var sum = delay()
    var pause = Duration.milliseconds(200)
    while chance(of10000: conditions.lossPer10000) {
      sum += pause
      pause = min(pause * 2, .seconds(10))
    }
    return sum
  }

  // MARK: Dialling

  func dial(_ number: Int, _ link: LinkIdentifier, _ address: SocketAddress) {
    hosts[number].dialing.insert(link)
    hosts[number].dialCount += 1
    let incarnation = hosts[number].incarnation
    schedule(.answer(host: number, incarnation: incarnation, link, address), after: delay())
  }

  /// What becomes of a dial when it reaches the other host, or nobody.
  func answer(_ number: Int, _ link: LinkIdentifier, _ address: SocketAddress) {
    guard hosts[number].dialing.contains(link) else { return }
    let other = hosts.firstIndex { $0.address.address == address.address }
    guard let other, hosts[other].life != .dark, canDial(number, other) else {
      return failDial(number, link, "timed out", after: conditions.dialTimeout)
    }
    guard hosts[other].life == .up, hosts[other].address == address else {
      return failDial(number, link, "connection refused", after: delay())
    }
    // The transport lets in a burst of links and then one each 50 ms.
    let earliest = hosts[other].acceptAt
    if now.advanced(by: .seconds(1)) < earliest {
      let pause = Duration.milliseconds(50)
      return schedule(
        .answer(host: number, incarnation: hosts[number].incarnation, link, address), after: pause)
    }
    hosts[other].acceptAt = max(earliest, now).advanced(by: .milliseconds(50))
    open(number, link, other, address)
  }

  private func canDial(_ number: Int, _ other: Int) -> Bool {
    conditions.isOpen(number, other) && hosts[other].gateway == nil
      && !conditions.deafForDials.contains(.init(from: number, to: other))
  }

  private func failDial(
    _ number: Int, _ link: LinkIdentifier, _ reason: String, after delay: Duration
  ) {
    let incarnation = hosts[number].incarnation
    schedule(
      .input(host: number, incarnation: incarnation, .dialFailed(link, reason: reason)),
      after: delay)
  }

  private func open(
    _ number: Int, _ link: LinkIdentifier, _ other: Int, _ address: SocketAddress
  ) {
    acceptedCount += 1
    let accepted = LinkIdentifier(acceptedCount)
    let port = UInt16(truncatingIfNeeded: 30_000 + acceptedCount % 30_000)
    let local = SocketAddress(hosts[number].address.address, port: port)
    let seen = SocketAddress(hosts[number].gateway ?? local.address, port: port)
    let session = network.sessions.count
    network.sessions.append([
      Network.Half(host: number, incarnation: hosts[number].incarnation, link: link),
      Network.Half(host: other, incarnation: hosts[other].incarnation, link: accepted),
    ])
    let ends = [0, 1].map { SessionEnd(session: session, side: $0) }
    hosts[number].dialing.remove(link)
    hosts[number].ends[link] = ends[0]
    hosts[other].ends[accepted] = ends[1]
    send(.accepted(accepted, remote: seen, local: address), to: ends[1], after: .zero)
    send(.dialed(link, remote: address, local: local), to: ends[0], after: delay())
  }

  // MARK: Sessions

  func half(_ end: SessionEnd) -> Network.Half { network.sessions[end.session][end.side] }

  /// Has something arrive in order.
  private func send(_ input: MeshInput, to end: SessionEnd, after delay: Duration) {
    let last = half(end).lastArrival
    let at = max(now.advanced(by: delay), last.advanced(by: .nanoseconds(1)))
    network.sessions[end.session][end.side].lastArrival = at
    events.insert(.arrival(end, input), at: at)
  }

  func send(_ bytes: [UInt8], on link: LinkIdentifier, from number: Int) {
    guard let end = hosts[number].ends[link] else { return }
    let other = end.other
    guard conditions.isOpen(number, half(other).host), half(other).held.isEmpty else {
      network.sessions[end.session][other.side].held.append(bytes)
      network.stuck.insert(end.session)
      return
    }
    // Now and then a message comes in two pieces.
    let cut =
      bytes.count > 1 && chance(of10000: 1000) ? 1 + random.number(below: bytes.count - 1) : 0
    if cut > 0 {
      send(.received(half(other).link, Array(bytes[..<cut])), to: other, after: delay())
    }
    send(
      .received(half(other).link, cut > 0 ? Array(bytes[cut...]) : bytes), to: other,
      after: delayWithRepetitions())
  }

  /// The machine closes a link; the other end hears of it if it can.
  func close(_ link: LinkIdentifier, at number: Int) {
    hosts[number].dialing.remove(link)
    guard let end = hosts[number].ends[link] else { return }
    shut(end)
    reset(end.other)
  }

  /// An end is no more.
  func shut(_ end: SessionEnd) {
    network.sessions[end.session][end.side].isOpen = false
    network.sessions[end.session][end.side].held = []
    hosts[half(end).host].ends[half(end).link] = nil
  }

  /// Tells an end that the other one is no more, unless the path is cut.
  func reset(_ end: SessionEnd) {
    guard half(end).isOpen, conditions.isOpen(half(end).host, half(end.other).host) else { return }
    network.sessions[end.session][end.side].held = []
    send(.closed(half(end).link, reason: "connection reset"), to: end, after: delay())
  }

  func arrive(_ input: MeshInput, at end: SessionEnd) {
    let half = half(end)
    guard hosts[half.host].life != .dark else { return }
    guard half.isOpen, isAlive(half.host, half.incarnation) else {
      // Whoever sends to an end that is no more is told so.
      if case .received = input { reset(end.other) }
      return
    }
    if case .closed = input { shut(end) }
    give(input, to: half.host)
  }

  /// Sends what waited for the path, as TCP does after a while.
  func unstick() {
    for session in network.stuck.sorted() {
      for side in [0, 1] {
        let end = SessionEnd(session: session, side: side)
        let half = half(end)
        guard conditions.isOpen(half.host, self.half(end.other).host) else { continue }
        network.sessions[session][side].held = []
        guard self.half(end.other).isOpen else { continue }
        let wait = Duration.milliseconds(random.number(below: 5000))
        for bytes in half.held { send(.received(half.link, bytes), to: end, after: wait) }
      }
      let isStuck = network.sessions[session].contains { !$0.held.isEmpty }
      if !isStuck { network.stuck.remove(session) }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Sealing
import TestSupport
import Testing

/// A network of machines in one value, with a time of its own: everything follows from the seed.
///
/// Host `n` has the address 10.0.0.n and the name 02:00:00:00:00:n. Sessions deliver their bytes in
/// order, in pieces of random length; datagrams arrive too, unless the path is cut.
struct MachineNetwork {
  /// A machine with its surroundings.
  struct Host {
    var options: MeshMachine.Options
    var machine: MeshMachine
    /// The other end of each open session.
    var sessions: [LinkIdentifier: (host: UInt8, link: LinkIdentifier)] = [:]
    var notes: [MeshNote] = []
    var forgotten: [PeerName] = []
    var dials: [(at: MeshInstant, address: SocketAddress)] = []
    /// Counts starts; what is on its way to an earlier one is lost.
    var incarnation = 0
    var isUp = true
  }

  private enum Event {
    case input(host: UInt8, incarnation: Int, MeshInput)
    case dial(host: UInt8, incarnation: Int, LinkIdentifier, SocketAddress)
  }

  static let latency = Duration.milliseconds(1)
  static let timeout = Duration.seconds(5)

  private(set) var now = MeshInstant(nanoseconds: 1_000_000_000)
  var hosts: [UInt8: Host] = [:]
  private var events: [(at: MeshInstant, event: Event)] = []
  private var random: SeededGenerator
  private var cuts: Set<[UInt8]> = []
  /// Hosts that no datagrams reach.
  var deafHosts: Set<UInt8> = []
  /// Overlays by which nothing gets through at all.
  var blockedOverlays: Set<OverlayKind> = []
  private var acceptedCount: UInt64 = 1 << 63
  /// Probes that the receiver had no key for.
  private(set) var unopenedCount = 0

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  // MARK: Hosts

  static func name(_ number: UInt8) -> PeerName {
    PeerName(bits: 0x0200_0000_0000 + UInt64(number))
  }

  static func address(_ number: UInt8, port: UInt16 = 6783) -> SocketAddress {
    SocketAddress(IPv4Address(bits: 0x0A00_0000 + UInt32(number)), port: port)
  }

  static func target(_ number: UInt8, hasPort: Bool = false) -> MeshTarget {
    let address = address(number)
    return MeshTarget(
      text: hasPort ? address.description : address.address.description, addresses: [address],
      hasPort: hasPort)
  }

  mutating func add(
    _ number: UInt8, password: String? = nil,
    _ configure: (inout MeshMachine.Options) -> Void = { _ in }
  ) {
    var options = MeshMachine.Options(
      name: Self.name(number), uid: random.next() | 1, nickname: "host\(number)")
    options.password = password.map { Password(Array($0.utf8)) }
    // What this machine's processor can does not matter: nothing is sealed here.
    options.suites = [.aes256gcm, .chacha20poly1305, .secretbox]
    options.canUseESP = true
    configure(&options)
    hosts[number] = Host(options: options, machine: machine(options))
  }

  /// Starts a host anew, with another UID; `isSilent`: nobody is told that the sessions are gone.
  mutating func restart(
    _ number: UInt8, isSilent: Bool = false,
    _ configure: (inout MeshMachine.Options) -> Void = { _ in }
  ) {
    stop(number, isSilent: isSilent)
    guard var host = hosts[number] else { return }
    host.options.uid = random.next() | 1
    configure(&host.options)
    host.machine = machine(host.options)
    host.isUp = true
    hosts[number] = host
  }

  mutating func stop(_ number: UInt8, isSilent: Bool = false) {
    guard let host = hosts[number] else { return }
    if !isSilent {
      for link in host.sessions.keys.sorted(by: { $0.number < $1.number }) {
        tellOtherEnd(of: link, at: number)
      }
    }
    hosts[number]?.sessions = [:]
    hosts[number]?.incarnation += 1
    hosts[number]?.isUp = false
  }

  private mutating func machine(_ options: MeshMachine.Options) -> MeshMachine {
    MeshMachine(options, random: SeededGenerator(seed: random.next()))
  }

  // MARK: What the user does

  mutating func connect(_ number: UInt8, to others: UInt8..., isReplacing: Bool = false) {
    let targets = others.map { Self.target($0) }
    give(.connect(targets, isReplacing: isReplacing), to: number)
  }

  mutating func forget(_ number: UInt8, _ other: UInt8) {
    give(.forget([Self.target(other)]), to: number)
  }

  /// Cuts or mends the path between two hosts; nobody is told.
  mutating func setCut(_ isCut: Bool, _ one: UInt8, _ other: UInt8) {
    if isCut { cuts.insert([one, other].sorted()) } else { cuts.remove([one, other].sorted()) }
  }

  // MARK: What can be seen

  func report(_ number: UInt8) -> MeshReport {
    hosts[number]?.machine.report(now: now) ?? MeshReport()
  }

  /// With whom a host's connections are established.
  func established(_ number: UInt8) -> Set<PeerName> {
    Set(report(number).connections.filter { $0.state == .established }.compactMap(\.peer))
  }

  /// Whether each of these hosts has an established connection with each other one.
  func isFullMesh(_ numbers: [UInt8]) -> Bool {
    numbers.allSatisfy { number in
      established(number) == Set(numbers.filter { $0 != number }.map { Self.name($0) })
    }
  }

  func notes(_ number: UInt8, _ text: String) -> [MeshNote] {
    (hosts[number]?.notes ?? []).filter { $0.text == text }
  }

  // MARK: Time

  mutating func run(for duration: Duration) {
    _ = run(atMost: duration) { _ in false }
  }

  /// Lets time pass until something is true; whether it became true.
  mutating func run(atMost duration: Duration, until: (MachineNetwork) -> Bool) -> Bool {
    let end = now.advanced(by: duration)
    while !until(self) {
      guard let next = nextMoment, next <= end else {
        now = end
        return until(self)
      }
      now = max(now, next)
      step()
    }
    return true
  }

  private var nextMoment: MeshInstant? {
    let deadlines = hosts.values.filter(\.isUp).compactMap(\.machine.nextDeadline)
    return ([events.first?.at].compactMap(\.self) + deadlines).min()
  }

  private mutating func step() {
    if let first = events.first, first.at <= now {
      events.removeFirst()
      return happen(first.event)
    }
    for (number, host) in hosts.sorted(by: { $0.key < $1.key }) where host.isUp {
      guard let deadline = host.machine.nextDeadline, deadline <= now else { continue }
      give(.deadline, to: number)
      if let next = hosts[number]?.machine.nextDeadline {
        #expect(next > now, "host \(number) would spin, \(random)")
      }
    }
  }

  private mutating func schedule(_ event: Event, after delay: Duration) {
    let at = now.advanced(by: delay)
    let index = events.lastIndex { $0.at <= at }.map { $0 + 1 } ?? 0
    events.insert((at, event), at: index)
  }

  private mutating func happen(_ event: Event) {
    switch event {
    case .input(let number, let incarnation, let input):
      guard let host = hosts[number], host.isUp, host.incarnation == incarnation else { return }
      switch input {
      case .received(let link, _):
        guard host.sessions[link] != nil else { return }
      case .closed(let link, _):
        guard hosts[number]?.sessions.removeValue(forKey: link) != nil else { return }
      default: break
      }
      give(input, to: number)
    case .dial(let number, let incarnation, let link, let address):
      guard hosts[number]?.incarnation == incarnation else { return }
      answer(number, link, address)
    }
  }

  // MARK: Effects

  /// Gives an input to a machine and carries out what it wants.
  mutating func give(_ input: MeshInput, to number: UInt8) {
    guard let before = hosts[number]?.machine.forwarding,
      let effects = hosts[number]?.machine.handle(input, now: now),
      let after = hosts[number]?.machine.forwarding
    else { return }
    #expect(effects.contains(.forwardingChanged) == (before != after), "\(random)")
    checkForwarding(after)
    for effect in effects { carryOut(effect, of: number) }
  }

  private func checkForwarding(_ forwarding: MeshForwarding) {
    let usable = Set(forwarding.neighbours.filter(\.isEstablished).map(\.name))
    let named = forwarding.peers.flatMap { $0.broadcast + [$0.nextHop].compactMap(\.self) }
    #expect(usable.isSuperset(of: named + forwarding.broadcast), "\(random)")
  }

  private mutating func carryOut(_ effect: MeshEffect, of number: UInt8) {
    guard let host = hosts[number] else { return }
    switch effect {
    case .dial(let link, let address):
      hosts[number]?.dials.append((now, address))
      let event = Event.dial(host: number, incarnation: host.incarnation, link, address)
      schedule(event, after: Self.latency)
    case .send(let link, let bytes): send(bytes, on: link, from: number)
    case .close(let link):
      tellOtherEnd(of: link, at: number)
      hosts[number]?.sessions[link] = nil
    case .probe(let probe): send(probe, from: number)
    case .forwardingChanged: break
    case .peersForgotten(let names): hosts[number]?.forgotten += names
    case .note(let note): hosts[number]?.notes.append(note)
    }
  }

  private mutating func answer(_ number: UInt8, _ link: LinkIdentifier, _ address: SocketAddress) {
    let other = hosts.first { $0.value.isUp && listens($0.key, at: address) }?.key
    guard let other, !cuts.contains([number, other].sorted()) else {
      let isThere = other == nil
      tell(
        number, .dialFailed(link, reason: isThere ? "connection refused" : "timed out"),
        after: isThere ? Self.latency : Self.timeout)
      return
    }
    acceptedCount += 1
    let accepted = LinkIdentifier(acceptedCount)
    let port = UInt16(truncatingIfNeeded: 40_000 + acceptedCount % 20_000)
    let dialler = Self.address(number, port: port)
    hosts[number]?.sessions[link] = (other, accepted)
    hosts[other]?.sessions[accepted] = (number, link)
    tell(other, .accepted(accepted, remote: dialler, local: address), after: .zero)
    tell(number, .dialed(link, remote: address, local: dialler), after: Self.latency)
  }

  private func listens(_ number: UInt8, at address: SocketAddress) -> Bool {
    Self.address(number, port: hosts[number]?.options.port ?? 0) == address
  }

  private mutating func send(_ bytes: [UInt8], on link: LinkIdentifier, from number: UInt8) {
    guard let end = hosts[number]?.sessions[link] else { return }
    guard !cuts.contains([number, end.host].sorted()) else { return }
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(1 + random.number(below: 1500))
      rest = rest.dropFirst(piece.count)
      tell(end.host, .received(end.link, Array(piece)), after: Self.latency)
    }
  }

  private mutating func send(_ probe: OverlayProbe, from number: UInt8) {
    let neighbours = hosts[number]?.machine.forwarding.neighbours
    guard let neighbour = neighbours?.first(where: { $0.name == probe.peer }) else {
      Issue.record("host \(number) tells its data plane of no link for a probe, \(random)")
      return
    }
    let link = probe.overlay == .fastdp ? neighbour.fastdp : neighbour.sleeve
    guard let remote = link?.remote else {
      Issue.record("host \(number) sends a probe to nowhere, \(random)")
      return
    }
    guard !blockedOverlays.contains(probe.overlay), let port = link?.localPort,
      let other = hosts.first(where: {
        Self.address($0.key) == SocketAddress(remote.address, port: 6783)
      })?.key,
      remote.port == (probe.overlay == .fastdp ? port : hosts[other]?.options.port),
      !cuts.contains([number, other].sorted()), !deafHosts.contains(other),
      probe.packetLength(isSealed: neighbour.isSealed) <= 1500 || probe.isFragmentable
    else { return }
    if neighbour.isSealed {
      guard let key = link?.security?.sealing else {
        Issue.record("host \(number) sends a probe without a key, \(random)")
        return
      }
      guard hosts[other]?.machine.forwarding.opens(key, from: number, probe.overlay) == true else {
        unopenedCount += 1
        return
      }
    }
    let source = Self.address(number, port: hosts[number]?.options.port ?? 0)
    tell(other, .special(probe.heard(from: Self.name(number), at: source)), after: Self.latency)
  }

  private mutating func tellOtherEnd(of link: LinkIdentifier, at number: UInt8) {
    guard let end = hosts[number]?.sessions[link], !cuts.contains([number, end.host].sorted())
    else { return }
    tell(end.host, .closed(end.link, reason: "connection reset"), after: Self.latency)
  }

  private mutating func tell(_ number: UInt8, _ input: MeshInput, after delay: Duration) {
    let incarnation = hosts[number]?.incarnation ?? 0
    schedule(.input(host: number, incarnation: incarnation, input), after: delay)
  }
}

extension MeshForwarding {
  /// How a host of `MachineNetwork` is reached by an overlay.
  func link(to number: UInt8, _ overlay: OverlayKind) -> Neighbour.Link? {
    let neighbour = neighbours.first { $0.name == MachineNetwork.name(number) }
    return overlay == .fastdp ? neighbour?.fastdp : neighbour?.sleeve
  }

  /// Whether what a host seals with a key is opened.
  func opens(_ key: FrameKey, from number: UInt8, _ overlay: OverlayKind) -> Bool {
    link(to: number, overlay)?.security?.openings.contains { $0.isSame(as: key) } ?? false
  }
}

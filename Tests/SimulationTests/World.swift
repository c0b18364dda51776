// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import TestSupport

/// Machines in a network that does to them what networks do, in a time of its own: everything
/// follows from the seed.
///
/// Host `n` has the name 02:00:00:00:00:n and the address 10.1.n/256.n%256. After every event the
/// machine that it was for is judged (`World+Judgement`); what is wrong first is kept in `problem`,
/// and nothing happens any more. `Agreement` judges the whole at rest.
final class World {
  /// How well a host can be heard.
  enum Life {
    /// It runs.
    case up
    /// Its process is gone; its kernel refuses what comes.
    case stopped
    /// Nothing answers any more.
    case dark
  }

  /// A machine with its surroundings.
  struct Host {
    var options: MeshMachine.Options
    var machine: MeshMachine
    let address: SocketAddress
    /// Where it seems to be, seen from outside, if it is behind a NAT.
    var gateway: IPv4Address?
    var life = Life.up
    /// Counts starts; what is on its way to an earlier one is lost.
    var incarnation = 0
    /// How far its clock runs ahead of the world's.
    var clockLead = Duration.zero
    /// What waits while it is stalled; nil: it is not.
    var backlog: [MeshInput]?
    /// What its links are to the network.
    var ends: [LinkIdentifier: SessionEnd] = [:]
    /// Links that its machine may name.
    var live: Set<LinkIdentifier> = []
    /// Dials that were not answered yet.
    var dialing: Set<LinkIdentifier> = []
    /// When it was last told to look at its clock, in the world's time.
    var deadlineAt: MeshInstant?
    /// When it may accept one more link beyond a burst.
    var acceptAt = MeshInstant(nanoseconds: 0)
    /// Its own version when it was last looked at.
    var version: UInt64 = 0
    /// With whom its connections are established.
    var established: Set<PeerName> = []
    var forgotten: [PeerName] = []
    var dialCount = 0
  }

  /// One end of a TCP connection.
  struct SessionEnd: Hashable {
    let session: Int
    let side: Int
    var other: SessionEnd { SessionEnd(session: session, side: 1 - side) }
  }

  enum Event {
    case input(host: Int, incarnation: Int, MeshInput)
    /// A special frame that has to be opened first.
    case sealed(host: Int, incarnation: Int, OverlaySpecial, Seal)
    case arrival(SessionEnd, MeshInput)
    case answer(host: Int, incarnation: Int, LinkIdentifier, SocketAddress)
    case deadline(host: Int, incarnation: Int)
    case wakeUp(host: Int, incarnation: Int)
    /// Something that the scenario wants done.
    case script(@Sendable (World) -> Void)
  }

  /// An established connection that one end lost.
  struct Loss {
    let at: MeshInstant
    let host: Int
    let peer: PeerName
  }

  let run: WorldRun
  var random: SeededGenerator
  var now = MeshInstant(nanoseconds: 1_000_000_000)
  var hosts: [Host] = []
  var conditions = Conditions()
  var network = Network()
  var events = EventQueue<Event>()
  var journal = Journal()
  /// What was wrong first.
  var problem: String?
  /// Losses of established connections so far.
  var losses: [Loss] = []
  /// Every name that any host ever had.
  var names: Set<PeerName> = []
  var eventCount = 0
  /// What hosts' data planes know, by host, as far as it was asked for since it changed.
  var directories: [Int: Directory] = [:]
  var acceptedCount: UInt64 = 1 << 63

  init(_ run: WorldRun) {
    self.run = run
    random = SeededGenerator(seed: run.seed)
  }

  // MARK: Hosts

  static func name(_ number: Int) -> PeerName {
    PeerName(bits: 0x0200_0000_0000 + UInt64(number))
  }

  static func address(_ number: Int) -> SocketAddress {
    SocketAddress(IPv4Address(bits: 0x0A01_0000 + UInt32(number)), port: 6783)
  }

  /// Adds a host, which starts with the short number `shortID` if there is one.
  ///
  /// Returns its number.
  @discardableResult
  func add(
    shortID: UInt16? = nil, _ configure: (inout MeshMachine.Options) -> Void = { _ in }
  ) -> Int {
    let number = hosts.count
    var options = MeshMachine.Options(
      name: Self.name(number + 1), uid: random.next() | 1, nickname: "host\(number)")
    configure(&options)
    hosts.append(
      Host(
        options: options, machine: machine(options, shortID: shortID),
        address: Self.address(number + 1)))
    names.insert(options.name)
    return number
  }

  func machine(_ options: MeshMachine.Options, shortID: UInt16? = nil) -> MeshMachine {
    let rest = SeededGenerator(seed: random.next())
    return MeshMachine(
      options, random: LoadedGenerator(first: shortID.map { UInt64($0) }, rest: rest))
  }

  /// Tells a host to be connected with others.
  func connect(_ number: Int, to others: [Int]) {
    let targets = others.map {
      MeshTarget(
        text: hosts[$0].address.address.description, addresses: [hosts[$0].address],
        hasPort: false)
    }
    give(.connect(targets, isReplacing: false), to: number)
  }

  /// Hosts that run.
  var living: [Int] { hosts.indices.filter { hosts[$0].life == .up } }

  // MARK: Time

  /// Lets time pass.
  func pass(_ duration: Duration) { _ = pass(atMost: duration) { _ in false } }

  /// Lets time pass until something is true, which is asked four times a second; how long it took,
  /// or nil if it did not become true.
  func pass(atMost duration: Duration, until isTrue: (World) -> Bool) -> Duration? {
    let start = now
    let end = now.advanced(by: duration)
    var question = now
    while problem == nil {
      if question <= now {
        if isTrue(self) { return start.duration(to: now) }
        question = now.advanced(by: .milliseconds(250))
      }
      let next = min(events.firstMoment ?? end, question, end)
      if next >= end, events.firstMoment.map({ $0 > end }) ?? true {
        now = end
        return isTrue(self) ? start.duration(to: now) : nil
      }
      now = max(now, next)
      guard let first = events.firstMoment, first <= now, let event = events.removeFirst() else {
        continue
      }
      happen(event)
    }
    return nil
  }

  func schedule(_ event: Event, after delay: Duration) {
    events.insert(event, at: now.advanced(by: delay))
  }

  /// Has something done later.
  func after(_ delay: Duration, _ action: @escaping @Sendable (World) -> Void) {
    schedule(.script(action), after: delay)
  }

  private func happen(_ event: Event) {
    switch event {
    case .input(let number, let incarnation, let input):
      if isAlive(number, incarnation) { give(input, to: number) }
    case .sealed(let number, let incarnation, let special, let seal):
      if isAlive(number, incarnation) { open(special, seal, at: number) }
    case .arrival(let end, let input): arrive(input, at: end)
    case .answer(let number, let incarnation, let link, let address):
      if isAlive(number, incarnation) { answer(number, link, address) }
    case .deadline(let number, let incarnation):
      guard isAlive(number, incarnation), hosts[number].deadlineAt == now else { return }
      hosts[number].deadlineAt = nil
      if hosts[number].backlog == nil { give(.deadline, to: number) }
    case .wakeUp(let number, let incarnation):
      if isAlive(number, incarnation) { wakeUp(number) }
    case .script(let action): action(self)
    }
  }

  func isAlive(_ number: Int, _ incarnation: Int) -> Bool {
    hosts[number].life == .up && hosts[number].incarnation == incarnation
  }

  // MARK: Inputs

  /// Gives an input to a machine and carries out what it wants; a stalled one gets it later.
  func give(_ input: MeshInput, to number: Int) {
    guard problem == nil else { return }
    if hosts[number].backlog != nil {
      hosts[number].backlog?.append(input)
      return
    }
    eventCount += 1
    let clock = now.advanced(by: hosts[number].clockLead)
    let forwarding = hosts[number].machine.forwarding
    let effects = hosts[number].machine.handle(input, now: clock)
    journal.note(now, host: number, input, effects)
    judge(number, input, effects, clock: clock, before: forwarding)
    for effect in effects { carryOut(effect, of: number) }
    scheduleDeadline(of: number)
  }

  private func scheduleDeadline(of number: Int) {
    guard let next = hosts[number].machine.nextDeadline else { return }
    let lead = hosts[number].clockLead
    let at = max(now, next.advanced(by: .zero - lead))
    // An earlier look at the clock does no harm, and brings this one about.
    if let known = hosts[number].deadlineAt, known <= at { return }
    hosts[number].deadlineAt = at
    events.insert(.deadline(host: number, incarnation: hosts[number].incarnation), at: at)
  }

  private func carryOut(_ effect: MeshEffect, of number: Int) {
    switch effect {
    case .dial(let link, let address): dial(number, link, address)
    case .send(let link, let bytes): send(bytes, on: link, from: number)
    case .close(let link): close(link, at: number)
    case .probe(let probe): send(probe, from: number)
    case .forwardingChanged:
      noteEstablished(of: number)
      directories[number] = nil
    case .keysAwaited: give(.keysRead(except: []), to: number)
    case .peersForgotten(let names): hosts[number].forgotten += names
    case .note: break
    }
  }

  private func noteEstablished(of number: Int) {
    let neighbours = hosts[number].machine.forwarding.neighbours
    let established = Set(neighbours.filter(\.isEstablished).map(\.name))
    for peer in hosts[number].established.subtracting(established).sorted() {
      losses.append(Loss(at: now, host: number, peer: peer))
    }
    hosts[number].established = established
  }
}

/// A generator whose first number is chosen, which a machine makes its short number of.
struct LoadedGenerator: RandomNumberGenerator, Sendable {
  var first: UInt64?
  var rest: SeededGenerator

  mutating func next() -> UInt64 {
    if let number = first {
      first = nil
      return number
    }
    return rest.next()
  }
}

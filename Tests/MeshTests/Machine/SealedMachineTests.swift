// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import Sealing
import TestSupport
import Testing

/// One machine that has a password, among peers of all kinds.
@Suite struct SealedMachineTests {
  private func bench(_ configure: (inout MeshMachine.Options) -> Void = { _ in }) -> MachineBench {
    MachineBench(password: "secret") {
      $0.suites = [.aes256gcm, .chacha20poly1305, .secretbox]
      $0.canUseESP = true
      configure(&$0)
    }
  }

  private func controls(_ bench: MachineBench, _ link: LinkIdentifier) -> [[UInt8]] {
    (bench.players[link]?.heard ?? []).filter { $0.tag == .overlayControl }.map(\.payload)
  }

  private func offer(_ tag: UInt8, _ identifier: UInt32, nonce: UInt8 = 1) -> [UInt8] {
    let nonce = [UInt8](repeating: nonce, count: 32)
    return tag == 1
      ? [0, 1] + KeyOffer(nonce: nonce, identifier: identifier, generation: 0).bytes
      : [1, tag] + KeyOffer(nonce: nonce, identifier: identifier, generation: 0).bytes
  }

  @Test func weaveGetsOneOfferForVXLANAndNothingThatItDoesNotKnow() throws {
    var bench = bench()
    let link = bench.join(3) { $0.overlays = ["fastdp", "sleeve"] }
    let sent = controls(bench, link)
    #expect(sent.count == 1 && sent[0].prefix(2) == [0, 1] && sent[0].count == 66)
    #expect(bench.probes.allSatisfy { $0.overlay == .sleeve })
    try bench.say(.overlayControl, offer(1, 0x1234_5678), on: link)
    #expect(bench.probes.last?.overlay == .fastdp)
    bench.give(.keyUsed(MachineNetwork.name(3), .fastdp))
    bench.give(.keyUsed(MachineNetwork.name(9), .fastdp))
    for _ in 0..<5 {
      for overlay in OverlayKind.allCases { bench.beat(overlay, on: link) }
      try bench.say(.heartbeat, [], on: link)
      bench.wait(.seconds(1000 / 40))
    }
    #expect(controls(bench, link).allSatisfy { $0[1] < 4 })
    #expect(controls(bench, link).filter { $0.count > 4 }.count == 1)
    let neighbour = try #require(bench.machine.forwarding.neighbours.first)
    #expect(neighbour.fastdp?.security?.suite == .aes256gcm)
    #expect(neighbour.sleeve?.security?.suite == .secretbox)
    #expect(neighbour.fastdp?.security?.sealing?.identifier == 0x1234_5678)
  }

  @Test func nothingIsSaidOfSuitesWithoutAPassword() throws {
    for password in [nil, "secret"] {
      var machine = MeshMachine(
        MeshMachine.Options(name: MachineBench.name, uid: 1, nickname: ""),
        random: SeededGenerator(seed: 1))
      machine.options.password = password.map { Password(Array($0.utf8)) }
      var handshake = Handshake(password: password)
      handshake.run(&machine)
      let entries = try #require(handshake.features?.entries)
      #expect((entries["WeftSuites"] == nil) == (password == nil))
      #expect(entries["WeftKeys"] == (password == nil ? nil : "1"))
    }
  }

  @Test func keyIsToldBeforeItIsOffered() throws {
    var bench = bench { $0.rekeyInterval = .seconds(30) }
    let link = bench.join(3) {
      $0.overlays = ["fastdp", "sleeve"]
      $0.suites = ["aes256gcm"]
    }
    for payload in controls(bench, link) {
      try bench.say(.overlayControl, [payload[0], 0x82] + payload[34..<38], on: link)
    }
    let now = bench.now
    let effects = bench.machine.handle(.keyUsed(MachineNetwork.name(3), .sleeve), now: now)
    #expect(effects == [.forwardingChanged, .keysAwaited])
    #expect(bench.machine.handle(.deadline, now: now).isEmpty)
    let said = bench.machine.handle(.keysRead(except: []), now: now)
    guard said.count == 1, case .send(link, _) = said[0] else {
      Issue.record("\(said)")
      return
    }
    #expect(bench.machine.handle(.keysRead(except: []), now: now).isEmpty)
    let security = bench.machine.forwarding.neighbours.first?.sleeve?.security
    #expect(security?.openings.map(\.identifier) == [2, 1])
    // The first offers as well, which come with much else.
    var machine = MeshMachine(
      MeshMachine.Options(name: MachineBench.name, uid: 1, nickname: ""),
      random: SeededGenerator(seed: 1))
    machine.options.password = Password(Array("secret".utf8))
    var handshake = Handshake(password: "secret")
    handshake.run(&machine)
    let told = try #require(handshake.effects.lastIndex(of: .forwardingChanged))
    #expect(handshake.offerIndices.count == 2 && handshake.offerIndices.allSatisfy { $0 > told })
  }

  @Test func keyWithoutRoomIsNotOfferedAndWhatThePeerChoseIsConfirmed() throws {
    var bench = bench()
    bench.keysWithoutRoom = [MachineNetwork.name(3)]
    let links = [UInt8(3), 4].map { number in
      bench.join(number) {
        $0.overlays = ["fastdp", "sleeve"]
        $0.suites = ["aes256gcm"]
      }
    }
    #expect(controls(bench, links[0]).isEmpty && controls(bench, links[1]).count == 2)
    try bench.say(.overlayControl, offer(1, 0x1234_5678), on: links[0])
    #expect(controls(bench, links[0]) == [[0, 0x82, 0x12, 0x34, 0x56, 0x78]])
    bench.give(.keysRead(except: []))
    let sent = controls(bench, links[0]).dropFirst()
    #expect(sent.map { Array($0.prefix(2)) } == [[0, 1], [1, 0x81]])
  }

  @Test func keyThatIsNotConfirmedIsReplacedWithANote() throws {
    var bench = bench()
    let link = bench.join(3) {
      $0.overlays = ["fastdp", "sleeve"]
      $0.suites = ["aes256gcm"]
    }
    let offers = controls(bench, link)
    for offer in offers {
      try bench.say(.overlayControl, [offer[0], 0x82] + offer[34..<38], on: link)
    }
    bench.give(.keyUsed(MachineNetwork.name(3), .sleeve))
    for _ in 0..<7 {
      for overlay in OverlayKind.allCases { bench.beat(overlay, on: link) }
      try bench.say(.heartbeat, [], on: link)
      bench.wait(.seconds(9))
    }
    let again = controls(bench, link).filter { $0.count == 66 }
    #expect(again.count == 4 && again[2...].allSatisfy { $0.prefix(2) == [1, 0x81] })
    #expect(Set(again).count == 4)
    let notes = bench.notes.filter { $0.text == "key not confirmed" }
    #expect(notes.map { $0.details["overlay"] } == ["sleeve"])
    #expect(bench.closed.isEmpty)
  }

  @Test func peerWithNoSuiteOfOursIsRefused() throws {
    var bench = bench { $0.suites = [.aes256gcm] }
    let link = bench.join(3) { $0.suites = ["chacha20poly1305", "aes512"] }
    #expect(bench.closed == [link] && bench.refusals == ["overlay": 1])
    let reason = bench.notes.last?.details["reason"]
    #expect(reason?.contains("seals in no way that we do") == true)
    let other = bench.join(4) { $0.suites = [String(repeating: "a", count: 257)] }
    #expect(bench.closed == [link, other] && bench.refusals == ["overlay": 1, "features": 1])
  }

  @Test func identifiersOfAllConnectionsDiffer() throws {
    var bench = bench()
    for number: UInt8 in 2..<100 {
      _ = bench.join(number) { $0.overlays = ["fastdp", "sleeve"] }
    }
    let identifiers = bench.machine.forwarding.neighbours.compactMap {
      $0.fastdp?.security?.openings.first?.identifier
    }
    #expect(identifiers.count == 98 && Set(identifiers.map { $0 >> 16 }).count == 98)
    #expect(identifiers.allSatisfy { $0 >= 256 })
  }

  /// Without that somebody could take suites out of the list.
  @Test func featuresThatWereChangedOnTheirWayAreRefused() throws {
    for position in stride(from: 0, to: 250, by: 7) {
      var bench = bench()
      var handshake = Handshake(password: "secret")
      handshake.tamperedByte = position
      handshake.run(&bench.machine)
      #expect(bench.machine.forwarding.neighbours.isEmpty)
      #expect(bench.machine.report(now: bench.now).counts.refusals == ["not_authentic": 1])
    }
  }

  @Test func messagesAboutPasswordsAreForThosePeersThatKnowThem() throws {
    var bench = bench()
    let weave = bench.join(3)
    let weft = bench.join(4) {
      $0.suites = ["aes256gcm"]
      $0.canReauthenticate = true
    }
    for link in [weave, weft] { try bench.say(.overlayControl, [0, 0x84, 1, 2], on: link) }
    #expect(bench.report.counts.overlays.badControls == 2)
    let ring = try #require(
      PasswordRing(
        Password(Array("new".utf8)), others: [Password(Array("secret".utf8))]))
    bench.give(.passwords(ring))
    let said = controls(bench, weft).filter { 0x83...0x85 ~= $0[1] }
    #expect(said.count == 1 && said[0].prefix(2) == [0, 0x83] && said[0].count == 2 + 65)
    #expect(controls(bench, weave).allSatisfy { $0[1] < 4 })
    #expect(bench.closed.isEmpty)
    let final = try #require(PasswordRing(Password(Array("new".utf8))))
    bench.give(.passwords(final))
    #expect(bench.closed == [weave])
    #expect(bench.notes.last?.details["reason"]?.contains("cannot take another one") == true)
    bench.wait(.seconds(11))
    #expect(bench.closed == [weave, weft])
  }

  @Test func machineWithoutPasswordsEndsItsConnectionsWhenItGetsSome() throws {
    var bench = MachineBench()
    let link = bench.join(3)
    bench.give(.passwords(try #require(PasswordRing(Password(Array("new".utf8))))))
    #expect(bench.closed == [link])
    #expect(bench.notes.last?.details["reason"]?.contains("has a password now") == true)
  }

  @Test func reportNamesTheSuiteInUse() throws {
    var bench = bench()
    let link = bench.join(3) { $0.suites = ["chacha20poly1305", "aes256gcm"] }
    #expect(bench.report.connections.first?.suite == "chacha20poly1305")
    let weave = bench.join(4)
    #expect(bench.report.connections.map(\.suite) == ["chacha20poly1305", "secretbox"])
    #expect(bench.closed.isEmpty && link != weave)
  }
}

/// A peer that dials a machine and presents itself, over a path that may change a byte.
private struct Handshake {
  private let link = LinkIdentifier(1 << 63)
  private let now = MeshInstant(nanoseconds: 1_000_000_000)
  private var session: Link
  /// Which byte of our sealed features is changed.
  var tamperedByte: Int?
  /// What the machine said of itself.
  var features: FeatureMap?
  /// What it wanted done when it got our features, and which of that were offers.
  var effects: [MeshEffect] = []
  var offerIndices: [Int] = []

  init(password: String?) {
    var features = Features(
      name: MachineNetwork.name(7), nickname: "", uid: 7, connectionID: 7, shortID: ShortID(7),
      isTrusting: false, overlays: ["fastdp", "sleeve"], extensions: [])
    if password != nil { features.suites = ["aes256gcm", "chacha20poly1305"] }
    var random = SeededGenerator(seed: 7)
    session = Link(
      Link.Options(
        isOutbound: true, password: password.map { Password(Array($0.utf8)) },
        keyPair: KeyPair(random: &random)), features: features.map)
  }

  mutating func run(_ machine: inout MeshMachine) {
    let accepted = MeshInput.accepted(
      link, remote: MachineNetwork.address(7, port: 50_000), local: MachineNetwork.address(1))
    var toMachine = session.start()
    var said = hear(machine.handle(accepted, now: now))
    effects = machine.handle(.received(link, toMachine), now: now)
    said += hear(effects)
    toMachine = said
    // A length of four bytes is in front of what is sealed.
    if let tamperedByte { toMachine[4 + tamperedByte % (toMachine.count - 4)] ^= 1 }
    effects = machine.handle(.received(link, toMachine), now: now)
    if effects.contains(.keysAwaited) {
      effects += machine.handle(.keysRead(except: []), now: now)
    }
    for (index, effect) in effects.enumerated() {
      guard case .send(link, let bytes) = effect else { continue }
      let events = (try? session.receive(bytes).events) ?? []
      let isOffer = events.contains { event in
        guard case .message(.overlayControl, let payload) = event else { return false }
        return payload.count == 66
      }
      if isOffer { offerIndices.append(index) }
    }
  }

  /// Takes what the machine sends; returns the answer.
  private mutating func hear(_ effects: [MeshEffect]) -> [UInt8] {
    var answer: [UInt8] = []
    for case .send(link, let bytes) in effects {
      guard let progress = try? session.receive(bytes) else { continue }
      answer += progress.reply
      for case .features(let map) in progress.events { features = map }
    }
    return answer
  }
}

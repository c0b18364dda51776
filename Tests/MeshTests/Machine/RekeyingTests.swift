// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
@testable import Sealing
import TestSupport
import Testing

/// Keys and passwords that change while frames travel.
@Suite struct RekeyingTests {
  private static let numbers: [UInt8] = [1, 2, 3]

  private static func password(_ text: String) -> Password { Password(Array(text.utf8)) }

  private static func ring(_ primary: String, _ others: String...) -> PasswordRing? {
    PasswordRing(password(primary), others: others.map(password))
  }

  private func mesh(
    seed: UInt64, rekeyInterval: Duration = .seconds(3600)
  ) throws -> MachineNetwork {
    var network = MachineNetwork(seed: seed)
    for number in Self.numbers {
      network.add(number, password: "old") { $0.rekeyInterval = rekeyInterval }
    }
    network.connect(2, to: 1)
    network.connect(3, to: 1, 2)
    #expect(network.run(atMost: .seconds(30)) { $0.isFullMesh(Self.numbers) })
    network.run(for: .seconds(5))
    return network
  }

  @Test func rekeyingEverySecondForTenMinutesLosesNothing() throws {
    var network = try mesh(seed: 1, rekeyInterval: .seconds(1))
    var traffic = SealedTraffic(seed: 1)
    traffic.run(&network, for: .seconds(600), among: Self.numbers)
    // Six directions of two overlays, about once a second.
    #expect(traffic.keys.count > 6 * 2 * 550)
    #expect(traffic.openedCount > 140_000)
    #expect(network.unopenedCount == 0)
    for number in Self.numbers {
      #expect(network.notes(number, "connection ended").isEmpty)
      #expect(network.notes(number, "overlay changed").count <= 2)
      #expect(network.report(number).counts.overlays == OverlaySwitch.Counts())
    }
  }

  @Test func nothingIsLostWhileWorkersReadKeysLate() throws {
    var network = try mesh(seed: 1, rekeyInterval: .seconds(2))
    network.keyDelay = .milliseconds(800)
    var traffic = SealedTraffic(seed: 1)
    traffic.run(&network, for: .seconds(120), among: Self.numbers)
    // Six directions of two overlays, at most every five seconds.
    #expect(traffic.keys.count > 6 * 2 * 20)
    #expect(network.unopenedCount == 0)
  }

  /// The steps of each host: accept the new password, show it, forget the old one.
  private static func steps() -> [PasswordRing?] {
    [ring("old", "new"), ring("new", "old"), ring("new")]
  }

  /// In any order in which nobody forgets the old password before everybody accepts the new one.
  @Test(arguments: 1...24)
  func passwordChangesInAnyOrderWithoutAGap(seed: UInt64) throws {
    var network = try mesh(seed: seed, rekeyInterval: .seconds(7))
    var traffic = SealedTraffic(seed: seed)
    var random = SeededGenerator(seed: seed)
    var done: [UInt8: Int] = [1: 0, 2: 0, 3: 0]
    while let number = Self.next(done, &random) {
      let step = done[number, default: 0]
      network.give(.passwords(try #require(Self.steps()[step])), to: number)
      done[number] = step + 1
      let pause = Duration.milliseconds(
        random.number(below: 3) == 0 ? 0 : random.number(below: 6000))
      traffic.run(&network, for: pause, among: Self.numbers, every: .milliseconds(200))
    }
    traffic.run(&network, for: .seconds(30), among: Self.numbers, every: .milliseconds(200))
    for number in Self.numbers {
      #expect(network.notes(number, "connection ended").isEmpty, "\(random)")
      #expect(network.established(number).count == 2, "\(random)")
      for connection in network.hosts[number]?.machine.connections.values.map(\.self) ?? [] {
        #expect(
          connection.peering?.reauthentication?.authentication == Self.password("new"), "\(random)")
      }
    }
    #expect(network.unopenedCount == 0, "\(random)")
    // Whoever has only the old one is a stranger now.
    network.add(4, password: "old")
    network.connect(4, to: 1)
    network.run(for: .seconds(5))
    #expect(network.established(4).isEmpty)
  }

  private static func next(_ done: [UInt8: Int], _ random: inout SeededGenerator) -> UInt8? {
    let areAllReady = done.values.allSatisfy { $0 > 0 }
    let possible = done.filter { $0.value < (areAllReady ? 3 : 2) }.keys.sorted()
    return possible.isEmpty ? nil : possible[random.number(below: possible.count)]
  }

  @Test func framesOfANewPasswordHaveKeysOfIt() throws {
    var network = try mesh(seed: 1)
    func keys() -> [FrameKey] {
      network.hosts[1]?.machine.forwarding.neighbours.flatMap { neighbour in
        [neighbour.fastdp, neighbour.sleeve].compactMap { $0?.security?.sealing }
      } ?? []
    }
    let before = keys()
    #expect(before.count == 4)
    for number in Self.numbers {
      network.give(.passwords(try #require(Self.ring("old", "new"))), to: number)
    }
    network.run(for: .seconds(20))
    #expect(keys() == before)
    network.give(.passwords(try #require(Self.ring("new", "old"))), to: 1)
    network.run(for: .seconds(1))
    let after = keys()
    #expect(after.count == 4 && after.allSatisfy { !before.contains($0) })
    network.run(for: .seconds(20))
    #expect(keys() == after)
  }

  @Test func peerThatDoesNotGetTheNewPasswordIsLeftWithAReason() throws {
    var network = try mesh(seed: 1)
    network.give(.passwords(try #require(Self.ring("new"))), to: 1)
    network.give(.passwords(try #require(Self.ring("new"))), to: 2)
    network.run(for: .seconds(8))
    #expect(network.established(1).count == 2)
    network.run(for: .seconds(8))
    #expect(network.established(1) == [MachineNetwork.name(2)])
    #expect(network.established(3).isEmpty)
    let notes = network.notes(1, "connection ended")
    #expect(notes.count == 1 && notes[0].details["reason"]?.contains("password") == true)
  }

  @Test func sameAndNoNewPasswordsChangeNothing() throws {
    var network = try mesh(seed: 1)
    let before = network.hosts[1]?.machine.forwarding
    network.give(.passwords(try #require(Self.ring("old"))), to: 1)
    network.run(for: .milliseconds(100))
    #expect(network.hosts[1]?.machine.forwarding == before)
  }

  /// The ring changes between the first byte and the features.
  @Test func passwordsThatChangeDuringAHandshakeAreFollowed() throws {
    for milliseconds in 0..<12 {
      var network = MachineNetwork(seed: 1)
      for number: UInt8 in [1, 2] { network.add(number, password: "old") }
      for number: UInt8 in [1, 2] {
        network.give(.passwords(try #require(Self.ring("old", "new"))), to: number)
      }
      network.connect(1, to: 2)
      network.run(for: .milliseconds(milliseconds))
      network.give(.passwords(try #require(Self.ring("new", "old"))), to: 2)
      #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) })
      network.run(for: .seconds(1))
      for number: UInt8 in [1, 2] {
        let connection = try #require(network.hosts[number]?.machine.connections.values.first)
        let password = connection.peering?.reauthentication?.authentication
        // Who accepts both keeps what was shown if it was shown before the change.
        #expect(password == Self.password("new") || connection.session.authentication == password)
      }
      network.give(.passwords(try #require(Self.ring("new"))), to: 2)
      network.run(for: .seconds(12))
      for number: UInt8 in [1, 2] {
        let connection = try #require(network.hosts[number]?.machine.connections.values.first)
        #expect(connection.peering?.reauthentication?.authentication == Self.password("new"))
        #expect(network.notes(number, "connection ended").isEmpty)
      }
    }
  }
}

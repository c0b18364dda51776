// SPDX-License-Identifier: Apache-2.0

import Inet
import Testing

@testable import Node

@Suite struct ConfigurationPlaceTests {
  @Test func everyKeyHasItsPlace() {
    let expected = ConfigurationTable.all.flatMap { table in
      table.isRepeated
        ? [Place(name: table.name, effects: Set(table.keys.map(\.takesEffect)))]
        : (table.isSwitch ? [Place(name: table.name, effects: [.restart])] : [])
          + table.keys.map { Place(name: $0.dottedName, effects: [$0.takesEffect]) }
    }
    let places = ConfigurationPlace.all.map { Place(name: $0.name, effects: [$0.takesEffect]) }
    #expect(places == expected)
  }

  private struct Place: Equatable {
    let name: String
    let effects: Set<ConfigurationKey.Effect>
  }

  @Test(arguments: changedFiles)
  func changedKeyIsTakenOverOrNamed(_ name: String, _ line: String, _ other: String) throws {
    let before = try Configuration.parse(text: completeFile, file: "x.toml")
    let text = completeFile.replacing(line, with: other)
    let file = try Configuration.parse(text: text, file: "x.toml")
    #expect(file != before)
    var running = before
    let changes = running.adopt(file)
    let place = try #require(ConfigurationPlace.all.first { $0.name == name })
    if place.takesEffect == .reload {
      #expect(changes == ConfigurationChanges(taken: [name]))
      #expect(running == file)
    } else {
      #expect(changes == ConfigurationChanges(waiting: [name]))
      #expect(running == before)
    }
    let again = running.adopt(file)
    #expect(again.taken.isEmpty && again.waiting == changes.waiting)
  }

  @Test func changedFilesChangeEveryPlace() {
    let sections = ConfigurationTable.all.filter(\.isSwitch).map(\.name)
    let names = Set(ConfigurationPlace.all.map(\.name)).subtracting(sections)
    #expect(Set(changedFiles.map(\.0)) == names)
  }

  @Test func aMeshThatComesOrGoesWaitsWithAllItsKeys() throws {
    let with = try Configuration.parse(text: completeFile, file: "x.toml")
    let from = try #require(completeFile.firstRange(of: "[mesh]"))
    let to = try #require(completeFile.firstRange(of: "[[vtep]]"))
    let text = completeFile[..<from.lowerBound] + completeFile[to.lowerBound...]
    let without = try Configuration.parse(text: String(text), file: "x.toml")
    for (before, after) in [(with, without), (without, with)] {
      var running = before
      #expect(running.adopt(after) == ConfigurationChanges(waiting: ["mesh"]))
      #expect(running == before)
    }
  }

  @Test func everythingChangedIsTakenOverAsFarAsItCanBe() throws {
    let before = try Configuration.parse(text: completeFile, file: "x.toml")
    let text = changedFiles.reduce(completeFile) { $0.replacing($1.1, with: $1.2) }
    let file = try Configuration.parse(text: text, file: "x.toml")
    var running = before
    let changes = running.adopt(file)
    #expect(
      changes.taken == [
        "log_level", "overlay.mtu", "attachments.on_stop", "mesh.peers", "mesh.password_file",
        "mesh.accepted_password_files", "mesh.rekey_seconds", "vtep", "fault",
      ])
    #expect(
      changes.waiting == [
        "underlay.interface", "underlay.mode", "underlay.vxlan_port", "underlay.xdp",
        "workers.cores", "workers.idle", "workers.frames", "api.socket", "attachments.xdp",
        "mesh.name", "mesh.nickname", "mesh.port", "mesh.listen", "mesh.cipher",
        "mesh.discovery", "mesh.connection_limit", "mesh.trusted_subnets",
      ])
    #expect(running.logLevel == file.logLevel && running.overlay == file.overlay)
    #expect(running.attachments.onStop == file.attachments.onStop && running.vteps == file.vteps)
    #expect(running.attachments.xdp == before.attachments.xdp)
    #expect(running.underlay == before.underlay && running.workers == before.workers)
    #expect(running.api == before.api)
    #expect(running.mesh.peers == file.mesh.peers && running.mesh.port == before.mesh.port)
  }

  @Test func orderOfEndpointsAndOtherSpellingsAreNoChange() throws {
    let vteps = completeFile.ranges(of: "[[vtep]]")
    let (first, second) = (vteps[0].lowerBound, vteps[1].lowerBound)
    let turned = completeFile[..<first] + completeFile[second...] + completeFile[first..<second]
    let text = turned.replacing("mtu = 1376", with: "mtu = 0x560 # the same")
    var running = try Configuration.parse(text: completeFile, file: "x.toml")
    let changes = running.adopt(try Configuration.parse(text: String(text), file: "y.toml"))
    #expect(changes == ConfigurationChanges())
  }
}

/// For each place a line of the complete file, and another that changes only it.
private let changedFiles = [
  ("log_level", "log_level = \"trace\"", "log_level = \"error\""),
  ("underlay.interface", "interface = \"wan\"", "interface = \"lan\""),
  ("underlay.mode", "mode = \"socket\"\n", ""),
  ("underlay.vxlan_port", "vxlan_port = 8472\n", ""),
  ("underlay.xdp", "xdp = \"generic\"", "xdp = \"native\""),
  ("workers.cores", "cores = [3, 1]", "cores = [1, 3]"),
  ("workers.idle", "idle = \"spin\"", "idle = \"adaptive\""),
  ("workers.frames", "frames = 4096", "frames = 8192"),
  ("overlay.mtu", "mtu = 1376\n", ""),
  ("api.socket", "other.sock", "else.sock"),
  ("attachments.on_stop", "on_stop = \"keep\"", "on_stop = \"remove\""),
  ("attachments.xdp", "xdp = \"native\"", "xdp = \"automatic\""),
  ("mesh.name", "02:00:00:00:00:0a", "02:00:00:00:00:0b"),
  ("mesh.nickname", "nickname = \"left\"\n", ""),
  ("mesh.port", "port = 6780", "port = 6781"),
  ("mesh.listen", "listen = \"192.0.2.1\"\n", ""),
  ("mesh.peers", "\"host-b\", ", ""),
  ("mesh.password_file", "/etc/weft/password", "/etc/weft/secret"),
  ("mesh.accepted_password_files", "[\"/etc/weft/new\", ", "["),
  ("mesh.cipher", "cipher = \"chacha20poly1305\"", "cipher = \"auto\""),
  ("mesh.rekey_seconds", "rekey_seconds = 600", "rekey_seconds = 60"),
  ("mesh.discovery", "discovery = false", "discovery = true"),
  ("mesh.connection_limit", "connection_limit = 50", "connection_limit = 0"),
  ("mesh.trusted_subnets", "10.0.0.0/8", "10.0.0.0/9"),
  ("vtep", "port = 99", "port = 100"),
  ("fault", "loss = 10", "loss = 11"),
]

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import TestSupport
import Testing

@testable import Node

@Suite struct MachineNameTests {
  private func name(_ files: [String: String], bridge: MACAddress? = nil) throws -> PeerName {
    let root = FileManager.default.temporaryDirectory
      .appendingPathComponent("weft-name-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in files {
      let file = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    var random = SeededGenerator(seed: 1)
    return MachineName.derive(root: root.path, bridge: bridge, random: &random)
  }

  @Test func nameIsTheOneThatWeaveNetGivesTheHost() throws {
    let files = ["etc/machine-id": "0123456789abcdef0123456789abcdef\n"]
    #expect(try name(files).description == "0a:39:ab:6e:42:c6")
    let dbus = ["var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n"]
    #expect(try name(dbus).description == "0a:39:ab:6e:42:c6")
  }

  @Test func boardCountsAsWell() throws {
    let machine = ["etc/machine-id": "0123456789abcdef0123456789abcdef\n"]
    let both = machine.merging(["sys/class/dmi/id/product_uuid": "A-B-C\n"]) { $1 }
    #expect(try name(both) != name(machine))
  }

  @Test func bridgeOfWeaveNetKeepsItsName() throws {
    let bridge = try #require(MACAddress("7a:00:00:00:00:01"))
    let files = ["etc/machine-id": "0123456789abcdef0123456789abcdef\n"]
    #expect(try name(files, bridge: bridge).description == "7a:00:00:00:00:01")
  }

  @Test func hostWithoutIdentityGetsALocalUnicastName() throws {
    let drawn = try name([:])
    #expect(drawn.bits >> 40 & 3 == 2)
  }
}

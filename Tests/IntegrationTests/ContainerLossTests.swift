// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Containers and their interfaces change or go away without a word to weftd.
  @Suite struct ContainerLossTests {
    /// How an attachment can end.
    enum Ending: String, CaseIterable {
      case namespaceDeleted, innerEndDeleted, hostEndDeleted, movedElsewhere, movedToTheHost
    }

    @Test(.timeLimit(.minutes(5)), arguments: Ending.allCases)
    func endWithoutADetachIsNoticedAndCleaned(ending: Ending) throws {
      try Testbed.run(containers: 2) { bed in
        let (lost, neighbour) = (bed.containersOfA[0], bed.containersOfA[1])
        let other = bed.containersOfB[0]
        try lost.ping(other)
        let port = try #require(
          try bed.a.attachments().first { $0.addresses == [lost.prefix] }?.host_interface)
        let objects = try KernelObjects(ofInterface: port, in: bed.a.namespace)
        #expect(objects.programs.count == 1)
        let elsewhere = try TestNamespace("elsewhere")
        try end(lost, ending, port, bed.a, elsewhere)

        try eventually("the loss is noticed", within: .seconds(10)) {
          try bed.a.status().losses.attachments == 1
        }
        #expect(try bed.a.attachments().map(\.addresses) == [[neighbour.prefix]])
        #expect(try bed.a.status().port(port) == nil)
        #expect(try !bed.a.namespace.interfaces().contains(port))
        #expect(try elsewhere.interfaces() == [])
        try eventually("the kernel frees the port's program") { try objects.remaining().isEmpty }
        let told = bed.a.weftd?.errors.split(separator: "\n").filter { $0.contains(port) } ?? []
        #expect(told.filter { $0.contains("container lost") }.count == 1, "\(told)")
        #expect(!told.contains { $0.contains(" error ") }, "\(told)")
        try neighbour.ping(other)
      }
    }

    private func end(
      _ container: TestContainer, _ ending: Ending, _ port: String, _ host: TestHost,
      _ elsewhere: TestNamespace
    ) throws {
      let interface = try #require(container.interface)
      switch ending {
      case .namespaceDeleted: container.namespace.delete()
      case .innerEndDeleted: try container.namespace.ip("link del \(interface)")
      case .hostEndDeleted: try host.namespace.ip("link del \(port)")
      case .movedElsewhere:
        try container.namespace.ip("link set \(interface) netns \(elsewhere.name)")
      case .movedToTheHost:
        try container.namespace.ip("link set \(interface) netns \(host.namespace.name)")
      }
    }

    @Test(.timeLimit(.minutes(5))) func lostAddressesAreForgottenAndCanBeGivenAnew() throws {
      try Testbed.run(containers: 1) { bed in
        let (container, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let interface = try #require(container.interface)
        let path = container.namespace.path
        #expect(try bed.a.ask(["attach", "--netns", path, "10.33.0.1/24"]).status == 0)
        try container.namespace.ip("address del \(container.prefix) dev \(interface)")
        try eventually("one address is missed", within: .seconds(10)) {
          try bed.a.attachments().map(\.addresses) == [["10.33.0.1/24"]]
        }
        try container.namespace.ip("address flush dev \(interface)")
        try eventually("all addresses are missed", within: .seconds(10)) {
          try bed.a.attachments().map(\.addresses) == [[]]
        }
        #expect(try bed.a.status().losses.addresses == 2)
        let alias = try bed.a.namespace.links().compactMap { $0["ifalias"] as? String }
        #expect(alias.contains { $0.contains(" ip= ") }, "\(alias)")

        let again = try bed.a.ask(["attach", "--netns", path, container.prefix])
        #expect(again.status == 0, "\(again)")
        try container.pingEventually(other)
        try container.namespace.ip("address flush dev \(interface)")
        try eventually("the address is missed again", within: .seconds(10)) {
          try bed.a.attachments().map(\.addresses) == [[]]
        }
        try bed.a.detach(container)
        #expect(try container.namespace.interfaces() == [])
        #expect(try bed.a.attachments().isEmpty)
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func interfaceThatIsDownIsToldUntilItIsUp(isTheContainersEnd: Bool) throws {
      try Testbed.run(containers: 1) { bed in
        let (container, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let found = try #require(try bed.a.attachments().first)
        let (namespace, interface) =
          isTheContainersEnd
          ? (container.namespace, found.interface) : (bed.a.namespace, found.host_interface)
        try namespace.ip("link set \(interface) down")
        try eventually("the interface is known to be down", within: .seconds(10)) {
          try bed.a.attachments().map(\.state) == ["down"]
        }
        #expect(try bed.a.attachments()[0].detail.contains("\(interface) is down"))
        let listed = try bed.a.ask(["ps"]).output
        #expect(listed.contains("down: \(interface) is down"), "\(listed)")
        try namespace.ip("link set \(interface) up")
        try eventually("the interface is known to be up", within: .seconds(10)) {
          try bed.a.attachments().map(\.state) == ["attached"]
        }
        try container.pingEventually(other)
        #expect(try bed.a.status().losses.attachments == 0)
      }
    }

    @Test(.timeLimit(.minutes(5))) func renamedInterfaceIsKnownByItsNewName() throws {
      try Testbed.run(containers: 1) { bed in
        let (container, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let interface = try #require(container.interface)
        try container.namespace.ip("link set \(interface) down")
        try container.namespace.ip("link set \(interface) name renamed0")
        try container.namespace.ip("link set renamed0 up")
        try eventually("the new name is known", within: .seconds(10)) {
          try bed.a.attachments().map(\.interface) == ["renamed0"]
        }
        try container.pingEventually(other)
        let more = try bed.a.ask(["attach", "--netns", container.namespace.path, "10.33.0.1/24"])
        #expect(more.status == 0, "\(more)")
        #expect(try container.namespace.addresses(of: "renamed0").contains("10.33.0.1/24"))

        bed.a.kill()
        try bed.a.start()
        #expect(try bed.a.attachments().map(\.interface) == ["renamed0"])
        try container.pingEventually(other)
      }
    }

    @Test(.timeLimit(.minutes(5))) func renamedHostEndIsKnownAndDetached() throws {
      try Testbed.run(containers: 1) { bed in
        let (container, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let port = try #require(try bed.a.attachments().first?.host_interface)
        try bed.a.namespace.ip("link set \(port) name renamed0")
        try eventually("the new name is known", within: .seconds(10)) {
          try bed.a.attachments().map(\.host_interface) == ["renamed0"]
        }
        try container.ping(other)
        try bed.a.detach(container)
        #expect(try !bed.a.namespace.interfaces().contains("renamed0"))
        #expect(try container.namespace.interfaces() == [])
      }
    }

    /// Without a free descriptor weftd cannot ask the kernel for anything new.
    @Test(.timeLimit(.minutes(5))) func detachThatFailsLeavesAServedAttachment() throws {
      try Testbed.run(containers: 1) { bed in
        let (container, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let port = try #require(try bed.a.attachments().first?.host_interface)
        let weftd = try #require(bed.a.weftd)
        let limit = try run("prlimit --noheadings --output SOFT --nofile --pid \(weftd.id)")
          .trimmingCharacters(in: .whitespacesAndNewlines)
        let detach = ["detach", "--netns", container.namespace.path]
        // The connection of the request takes the last descriptor.
        var used: [String] = []
        try eventually("the former requests' connections are closed") {
          let before = used
          used = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(weftd.id)/fd")
            .sorted()
          if used != before { Thread.sleep(forTimeInterval: 0.2) }
          return used == before
        }
        let free = (0...).first { !used.contains("\($0)") } ?? 0
        try run("prlimit --pid \(weftd.id) --nofile=\(free + 1):")
        let refused = try bed.a.ask(detach)
        try run("prlimit --pid \(weftd.id) --nofile=\(limit):")
        #expect(refused.status != 0 && refused.errors.contains("ulimit -n"), "\(refused)")
        let link = try bed.a.namespace.links().first { $0["ifname"] as? String == port }
        #expect(link?["xdp"] != nil, "the host takes the container's frames")
        try eventually("the attachment is served again", within: .seconds(10)) {
          try bed.a.attachments().map(\.state) == ["attached"]
        }
        try container.pingEventually(other)
        try bed.a.detach(container)
        #expect(try container.namespace.interfaces() == [])
      }
    }

    @Test(.timeLimit(.minutes(5))) func foreignProgramOnAPortIsRespectedUntilItGoes() throws {
      try Testbed.run(containers: 2) { bed in
        let (container, neighbour) = (bed.containersOfA[0], bed.containersOfA[1])
        let port = try #require(
          try bed.a.attachments().first { $0.addresses == [container.prefix] }?.host_interface)
        let mode = try ForeignProgram.Mode(of: port, in: bed.a.namespace)
        let foreign = try ForeignProgram(port, in: bed.a.namespace, mode)
        try eventually("the program is noticed", within: .seconds(10)) {
          try bed.a.attachments().map(\.state).sorted() == ["attached", "down"]
        }
        let detail = try bed.a.attachments().map(\.detail).joined()
        #expect(detail.contains("'\(ForeignProgram.name)'") && detail.contains(port), "\(detail)")
        try neighbour.ping(bed.containersOfB[0])
        #expect(try foreign.isAttached())
        try foreign.detach()
        try container.pingEventually(neighbour)
        #expect(try bed.a.attachments().map(\.state) == ["attached", "attached"])
        // Without a program at all the port is served again as well.
        try bed.a.namespace.ip("link set dev \(port) \(mode.rawValue) off")
        try container.pingEventually(neighbour)
      }
    }

    private func index(of interface: String, on host: TestHost) throws -> Int? {
      try host.namespace.links().first { $0["ifname"] as? String == interface }?["ifindex"] as? Int
    }

    @Test(.timeLimit(.minutes(5))) func hostsOwnPairIsMadeAgain() throws {
      try Testbed.run(containers: 1) { bed in
        let former = try index(of: "weft0", on: bed.a)
        try bed.a.namespace.ip("link del weft0")
        try eventually("weft0 is there again", within: .seconds(10)) {
          guard let found = try index(of: "weft0", on: bed.a), found != former else { return false }
          return try bed.a.status().ports.contains { $0.kind == "host" && $0.interface == "weft0" }
        }
        let container = bed.containersOfA[0]
        try container.ping(bed.containersOfB[0])
        try bed.a.namespace.ip("address add 10.32.0.200/24 dev weft0")
        try bed.a.namespace.run("ping -n -q -c 1 -i 0.1 -w 10 \(container.address)")
        let late = try TestContainer(71)
        try bed.a.attach(late)
        try late.ping(container)
        try late.ping(bed.containersOfB[0])
      }
    }

    @Test(.timeLimit(.minutes(5))) func twoHundredAttachmentsLeakNothing() throws {
      try Testbed.run(containers: 1) { bed in
        let (stays, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let weftd = try #require(bed.a.weftd)
        let guest = try TestContainer(90)
        let round = { (isDeleted: Bool) in
          try bed.a.attach(guest)
          if isDeleted {
            try guest.namespace.ip("link del \(try #require(guest.interface))")
            try eventually("the loss is noticed") { try bed.a.attachments().count == 1 }
          } else {
            try bed.a.detach(guest)
          }
        }
        try round(false)
        try stays.ping(other)
        let before = try Holdings(of: weftd, on: bed.a)
        for number in 1...200 { try round(number.isMultiple(of: 2)) }
        try stays.ping(other)
        var after = before
        try eventually("all is given back", within: .seconds(10)) {
          after = try Holdings(of: weftd, on: bed.a)
          return after == before && after.sockets <= before.sockets
        }
        #expect(after == before)
        #expect(after.sockets <= before.sockets)
        #expect(try bed.a.status().losses.attachments == 100)
      }
    }

    /// What one weftd holds on to.
    private struct Holdings: Equatable {
      let descriptors: Int
      let programs: Int
      let maps: Int
      let frames: [Int]
      let interfaces: [String]
      /// Of all kinds; a connection of the API may be among them before, so fewer may be left.
      let sockets: Int

      static func == (one: Holdings, other: Holdings) -> Bool {
        one.descriptors == other.descriptors && one.programs == other.programs
          && one.maps == other.maps && one.frames == other.frames
          && one.interfaces == other.interfaces
      }

      init(of weftd: RunningProcess, on host: TestHost) throws {
        let objects = try KernelObjects(of: weftd.id, in: host.namespace)
        let all = try weftd.descriptors()
        sockets = all.filter { $0.hasPrefix("socket:") }.count
        descriptors = all.count - sockets
        programs = objects.programs.count
        maps = objects.maps.count
        frames = try host.status().workers.map(\.frames_free)
        interfaces = try host.namespace.interfaces()
      }
    }
  }
}

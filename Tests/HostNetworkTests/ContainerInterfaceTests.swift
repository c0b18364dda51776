// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

/// Attaches from a namespace that plays the host.
private func attach(
  _ specification: AttachSpecification, on host: TestNamespace
) throws -> ContainerInterface {
  try host.run { () throws(HostNetworkError) in
    var generator = SeededGenerator(seed: 7)
    return try ContainerInterface.attach(specification, using: &generator)
  }
}

private func specification(
  _ path: String, _ addresses: [String] = ["10.32.0.1/12", "10.80.0.1/16"]
) throws -> AttachSpecification {
  AttachSpecification(
    namespacePath: path, addresses: try addresses.map { try prefix($0) }, mtu: 1376,
    queueCount: 2, hostEnd: "vethwe1")
}

extension KernelTests {
  @Suite struct ContainerInterfaceTests {
    @Test func attachedContainerHasAllThatWasAskedFor() throws {
      try withNamespaces { namespaces in
        let (host, container) = (namespaces[0], namespaces[1])
        var wanted = try specification(container.path)
        wanted.mac = try mac("02:00:00:00:00:0a")
        let attached = try attach(wanted, on: host)
        let outside = try host.judgedLink("vethwe1")
        #expect(outside.ifalias == (try attached.record.encoded()))
        #expect(outside.flags.contains("NOARP") && outside.flags.contains("UP"))
        #expect(outside.inet6_addr_gen_mode == "none")
        #expect(outside.ifindex == attached.hostEndIndex.rawValue)
        let inside = try container.judgedLink("ethwe")
        #expect(inside.address == "02:00:00:00:00:0a" && inside.flags.contains("LOWER_UP"))
        for link in [inside, outside] {
          #expect(link.mtu == 1376 && link.num_rx_queues == 2 && link.num_tx_queues == 2)
        }
        let addresses = try container.ask("-4 addr show dev ethwe", as: [JudgedAddresses].self)
        let found = addresses.flatMap(\.addr_info)
        #expect(found.map { "\($0.local)/\($0.prefixlen)" } == ["10.32.0.1/12", "10.80.0.1/16"])
        #expect(found.map(\.broadcast) == ["10.47.255.255", "10.80.255.255"])
        let routes = try container.ask("route show", as: [JudgedRoute].self)
        #expect(Set(routes.map(\.dst)) == ["10.32.0.0/12", "10.80.0.0/16", "224.0.0.0/4"])
      }
    }

    @Test func attachedContainerSpeaksInAWayTheSwitchUnderstands() throws {
      try withNamespaces { namespaces in
        _ = try attach(try specification(namespaces[1].path), on: namespaces[0])
        let judged = try namespaces[1].execute("ethtool -k ethwe")
        #expect(judged.contains("\ntx-checksumming: off"))
        #expect(judged.contains("tx-tcp-segmentation: off"))
        for (setting, value) in [
          ("ipv6/conf/ethwe/accept_ra", "0"), ("ipv4/conf/ethwe/promote_secondaries", "1"),
          ("ipv4/neigh/ethwe/base_reachable_time_ms", "5000"),
          ("ipv4/neigh/ethwe/delay_first_probe_time", "2"),
          ("ipv4/neigh/ethwe/ucast_solicit", "1"),
        ] {
          let found = try namespaces[1].execute("cat /proc/sys/net/\(setting)")
          #expect(found == value + "\n", "\(setting)")
        }
      }
    }

    @Test func containerIsFoundByItsProcess() throws {
      try withNamespaces { namespaces in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "exec ip netns exec \(namespaces[1].name) sleep 60"]
        try process.run()
        defer {
          kill(process.processIdentifier, SIGKILL)
          process.waitUntilExit()
        }
        let path = NetworkNamespace.path(ofProcess: process.processIdentifier)
        let inode = try NetworkNamespace(path: namespaces[1].path).identity.inode
        let isThere = try eventually {
          try NetworkNamespace(path: path).identity.inode == inode ? true : nil
        }
        #expect(isThere == true)
        let attached = try attach(try specification(path), on: namespaces[0])
        #expect(attached.record.namespacePath == path)
        #expect(attached.record.namespaceInode == inode)
        #expect(try namespaces[1].judgedLink("ethwe").address == attached.record.mac.description)
        #expect(attached.record.mac.isStation)
      }
    }

    @Test func attachmentsAreReadBackFromTheKernel() throws {
      try withNamespaces { namespaces in
        let host = namespaces[0]
        let attached = try attach(try specification(namespaces[1].path), on: host)
        try host.ip("link add name uplink type veth peer name uplink-p")
        try host.ip("link set uplink alias Somebodys")
        try host.ip("link set uplink-p alias weft1broken")
        let listing = try host.run { () throws(HostNetworkError) in
          try AttachmentListing.read()
        }
        #expect(listing.attachments == [attached])
        let ignored = Dictionary(
          uniqueKeysWithValues: listing.ignored.map { ($0.interface, $0.reason) })
        #expect(ignored == ["uplink": .foreign, "uplink-p": .unknownVersion("1broken")])
      }
    }

    @Test func addressesAreAddedRemovedAndRemembered() throws {
      try withNamespaces { namespaces in
        let (host, container) = (namespaces[0], namespaces[1])
        let attached = try attach(try specification(container.path, ["10.32.0.1/12"]), on: host)
        let (second, first) = (try prefix("10.32.0.2/12"), try prefix("10.32.0.1/12"))
        let changed = try host.run { () throws(HostNetworkError) in
          var attached = attached
          try attached.addAddress(second)
          try attached.addAddress(second)
          // The second is secondary to the first in the kernel's eyes, and must not go with it.
          try attached.removeAddress(first)
          return attached
        }
        #expect(changed.record.addresses == [second])
        let judged = try container.ask("-4 addr show dev ethwe", as: [JudgedAddresses].self)
        #expect(judged.flatMap(\.addr_info).map(\.local) == ["10.32.0.2"])
        let listing = try host.run { () throws(HostNetworkError) in
          try AttachmentListing.read()
        }
        #expect(listing.attachments == [changed])
        let again = try host.run { () throws(HostNetworkError) in
          var attached = changed
          return try attached.removeAddress(first)
        }
        #expect(!again)
      }
    }

    @Test func addressThatDoesNotFitTheAliasChangesNothing() throws {
      try withNamespaces { namespaces in
        let addresses = (1...9).map { "10.100.100.\($0)/24" }
        let (host, container) = (namespaces[0], namespaces[1])
        let attached = try attach(try specification(container.path, addresses), on: host)
        let full = try host.run { () throws(HostNetworkError) in
          var attached = attached
          for last in 100...200 {
            guard let prefix = IPv4Prefix("10.100.100.\(last)/24") else { continue }
            do throws(HostNetworkError) {
              try attached.addAddress(prefix)
            } catch .aliasTooLong(_, limit: 255) {
              break
            }
          }
          return attached
        }
        #expect(full.record.addresses.count > 9)
        let judged = try container.ask("-4 addr show dev ethwe", as: [JudgedAddresses].self)
        #expect(judged.flatMap(\.addr_info).count == full.record.addresses.count)
      }
    }

    @Test func detachLeavesNothingAndIsNoErrorTwice() throws {
      try withNamespaces { namespaces in
        let attached = try attach(try specification(namespaces[1].path), on: namespaces[0])
        let detach: @Sendable () throws(HostNetworkError) -> Bool = {
          () throws(HostNetworkError) in try attached.detach()
        }
        #expect(try namespaces[0].run(detach))
        #expect(try namespaces.allSatisfy { try $0.judgedLinks().isEmpty })
        #expect(try !namespaces[0].run(detach))
        try namespaces[0].ip("link add name vethwe1 type veth peer name other")
        #expect(try !namespaces[0].run(detach), "another interface of the name was deleted")
      }
    }

    @Test(arguments: ["name foo0", "alias somebodys"])
    func detachDeletesAPairThatSomebodyRenamed(change: String) throws {
      try withNamespaces { namespaces in
        let attached = try attach(try specification(namespaces[1].path), on: namespaces[0])
        try namespaces[0].ip("link set vethwe1 \(change)")
        let isDeleted = try namespaces[0].run { () throws(HostNetworkError) in
          try attached.detach()
        }
        #expect(isDeleted)
        #expect(try namespaces.allSatisfy { try $0.judgedLinks().isEmpty })
      }
    }

    @Test func endOfTheContainerIsTheEndOfThePair() throws {
      try withNamespaces(1) { namespaces in
        try withNamespaces(1) { containers in
          _ = try attach(try specification(containers[0].path), on: namespaces[0])
        }
        let isGone = try eventually {
          try namespaces[0].judgedLinks().isEmpty ? true : nil
        }
        #expect(isGone == true)
      }
    }

    @Test func hostsOwnNamespaceIsRefused() throws {
      try withNamespaces(1) { namespaces in
        let error = HostNetworkError.hostNamespace(path: namespaces[0].path)
        let wanted = try specification(namespaces[0].path)
        #expect(throws: error) { try attach(wanted, on: namespaces[0]) }
        #expect(error.description.contains("host networking"))
        #expect(try namespaces[0].judgedLinks().isEmpty)
      }
    }

    @Test func everyFailureUnwinds() throws {
      try withNamespaces { namespaces in
        let (host, path) = (namespaces[0], namespaces[1].path)
        // The kernel refuses the second of the two when all else is done.
        let twice = try specification(path, ["10.32.0.1/12", "10.32.0.1/12"])
        let error = try expectFailure(twice, host, nil)
        #expect(error?.description.hasPrefix("RTM_NEWADDR failed for 10.32.0.1/12") == true)
        let group = try prefix("224.0.0.1/4")
        try expectFailure(
          try specification(path, ["224.0.0.1/4"]), host, .invalidAddress(group))
        try expectFailure(
          try specification(path, (1...20).map { "10.100.100.\($0)/24" }), host, nil)
        var wanted = try specification(path)
        wanted.mac = .broadcast
        try expectFailure(wanted, host, .invalidMAC(.broadcast))
        wanted = try specification("/dev/null")
        try expectFailure(wanted, host, nil)
        try namespaces[1].ip("link add name ethwe type veth peer name x")
        try expectFailure(
          try specification(path), host,
          .interfaceExists(name: "ethwe", place: "the container"))
      }
    }

    @discardableResult
    private func expectFailure(
      _ wanted: AttachSpecification, _ host: TestNamespace, _ expected: HostNetworkError?
    ) throws -> HostNetworkError? {
      let error = #expect(throws: HostNetworkError.self) { try attach(wanted, on: host) }
      if let expected { #expect(error == expected) }
      #expect(try host.judgedLinks().isEmpty, "left after \(String(describing: error))")
      return error
    }

    @Test func replacedContainerIsNotTakenForTheOld() throws {
      try withNamespaces(3) { namespaces in
        let (host, path) = (namespaces[0], namespaces[1].path)
        let attached = try attach(try specification(path), on: host)
        // The old one lives on under another name while the path leads to a new one.
        try shell("umount \(path)")
        try shell("mount --bind \(namespaces[2].path) \(path)")
        let found = try NetworkNamespace(path: path).identity.inode
        let error = HostNetworkError.namespaceReplaced(
          path: path, recorded: attached.record.namespaceInode, found: found)
        #expect(throws: error) {
          try host.run { () throws(HostNetworkError) in try attached.announce() }
        }
      }
    }

    @Test func announcementLeavesTheContainer() throws {
      try withNamespaces { namespaces in
        let (host, container) = (namespaces[0], namespaces[1])
        let attached = try attach(try specification(container.path), on: host)
        let before = try host.receivedCount("vethwe1")
        try host.run { () throws(HostNetworkError) in try attached.announce() }
        // Two for each of two addresses; the container's IPv6 may add its own.
        #expect(try host.receivedCount("vethwe1") >= before + 4)
      }
    }

    @Test func fiftyRoundsLeakNothing() throws {
      try withNamespaces { namespaces in
        let (host, wanted) = (namespaces[0], try specification(namespaces[1].path))
        let round: @Sendable () throws(HostNetworkError) -> Void = {
          () throws(HostNetworkError) in
          var generator = SeededGenerator(seed: 9)
          let attached = try ContainerInterface.attach(wanted, using: &generator)
          try attached.announce()
          try attached.detach()
        }
        try host.run(round)
        let before = try held()
        for _ in 0..<50 { try host.run(round) }
        let after = try held()
        #expect(after.descriptors == before.descriptors)
        #expect(after.threads <= before.threads + 2, "the runtime may have started some")
        #expect(try namespaces.allSatisfy { try $0.judgedLinks().isEmpty })
      }
    }

    private func held() throws -> (descriptors: Int, threads: Int) {
      (
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count,
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
      )
    }
  }
}

extension TestNamespace {
  /// Frames an interface has received.
  func receivedCount(_ interface: String) throws -> Int {
    let text = try execute("cat /proc/net/dev")
    let line = try #require(text.split(separator: "\n").first { $0.contains(interface + ":") })
    let fields = line.split(separator: ":")[1].split(separator: " ")
    return try #require(Int(fields[1]))
  }
}

// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

@testable import Node

@Suite struct MachineFactsTests {
  private let machine = MachineFacts(
    cores: [0, 1, 2, 3, 6], interfaces: ["lo", "wan", "eth0"],
    addresses: ["wan": [IPv4Address(bits: 0xC000_0201)]])

  @Test func configurationThatFitsIsAccepted() throws {
    let configuration = try Configuration.parse(text: completeFile, file: "x.toml")
    try configuration.validate(against: machine)
    #expect(mistakes(in: completeFile, against: machine) == [])
  }

  @Test func missingCoresAndInterfacesAreToldWithTheirLines() throws {
    let text = """
      [workers]
      cores = [
        0, 4,
        5,
      ]
      [underlay]
      interface = "wann"
      """
    let expected = [
      "x.toml:3: workers.cores: core 4 does not exist; accepted: 0 to 3, 6",
      "x.toml:4: workers.cores: core 5 does not exist; accepted: 0 to 3, 6",
      "x.toml:7: underlay.interface: interface \"wann\" does not exist; did you mean \"wan\"?; "
        + "accepted: \"eth0\", \"lo\", \"wan\"",
    ]
    #expect(mistakes(in: text, against: machine) == expected)
    let errors = #expect(throws: ConfigurationErrors.self) {
      try Configuration.parse(text: text, file: "x.toml").validate(against: machine)
    }
    #expect(errors?.issues.map(\.description) == expected)
  }

  @Test func wrongElementsDoNotShiftTheLinesOfMissingCores() {
    let text = "[underlay]\ninterface = \"wan\"\n[workers]\ncores = [\n\"a\",\n0,\n0,\n9]"
    #expect(
      mistakes(in: text, against: machine).map { String($0.prefix(24)) } == [
        "x.toml:5: workers.cores:", "x.toml:7: workers.cores:", "x.toml:8: workers.cores:",
      ])
  }

  @Test func whatTheReaderRefusedIsNotRefusedTwice() {
    #expect(mistakes(in: "[underlay]\ninterface = 1", against: machine).count == 1)
  }

  @Test func longListsOfInterfacesAreCutShort() {
    let many = MachineFacts(cores: [0], interfaces: (10..<60).map { "veth\($0)" })
    let found = mistakes(in: "[underlay]\ninterface = \"uplink\"", against: many)
    #expect(found.first?.hasSuffix("\"veth20\", \"veth21\" and 38 more") == true, "\(found)")
  }

  // MARK: Ports and addresses

  /// The machine with 192.0.2.1 on wan and 198.51.100.1 on eth0, and somebody at a UDP port.
  private func machine(takingUDPAt address: String, port: UInt16) throws -> MachineFacts {
    MachineFacts(
      cores: [0], interfaces: ["eth0", "lo", "wan"],
      addresses: [
        "wan": [try #require(IPv4Address("192.0.2.1"))],
        "eth0": [try #require(IPv4Address("198.51.100.1"))],
        "lo": [try #require(IPv4Address("127.0.0.1"))],
      ],
      udpReceivers: [UDPReceiver(address: try #require(IPv4Address(address)), port: port)])
  }

  @Test(arguments: ["0.0.0.0", "192.0.2.1"])
  func portThatSomebodyReceivesAtIsRefused(_ address: String) throws {
    let machine = try machine(takingUDPAt: address, port: 4789)
    let told =
      "underlay.vxlan_port: UDP port 4789 is in use: something on this host receives at "
      + "\(address); accepted: a port that is free on wan, the same on all hosts; `ss -ulpn` shows "
      + "who has it (nobody: a VXLAN device of the kernel, see `ip -d link show type vxlan`)"
    let bare = "log_level = \"info\"\n[underlay]\ninterface = \"wan\"\n"
    #expect(mistakes(in: bare + endpoint, against: machine) == ["x.toml:2: \(told)"])
    let explicit = bare + "vxlan_port = 4789\n" + endpoint
    #expect(mistakes(in: explicit, against: machine) == ["x.toml:4: \(told)"])
    let other = bare + "vxlan_port = 4790\n" + endpoint
    #expect(mistakes(in: other, against: machine) == [])
  }

  private let endpoint = "[[vtep]]\naddress = \"192.0.2.9\"\nvni = 1\n"

  @Test(arguments: ["", "[mesh]\n"])
  func portIsLeftToOthersWhereThereIsNoEndpoint(rest: String) throws {
    let machine = try machine(takingUDPAt: "0.0.0.0", port: 4789)
    #expect(mistakes(in: "[underlay]\ninterface = \"wan\"\n" + rest, against: machine) == [])
  }

  @Test func withoutAnInterfaceThePortIsTakenAtAnyAddress() throws {
    let machine = try machine(takingUDPAt: "198.51.100.1", port: 4789)
    let found = mistakes(in: "[underlay]\n" + endpoint, against: machine)
    #expect(found.count == 1)
    #expect(found.first?.contains("a port that is free on this host, the same") == true, "\(found)")
  }

  @Test(arguments: ["127.0.0.1", "198.51.100.1", "192.0.2.2"])
  func portThatIsTakenAtAnotherAddressIsFree(_ address: String) throws {
    let machine = try machine(takingUDPAt: address, port: 4789)
    let text = "[underlay]\ninterface = \"wan\"\n" + endpoint
    #expect(mistakes(in: text, against: machine) == [])
  }

  @Test func endpointWithAnAddressOfThisHostIsRefused() throws {
    let machine = try machine(takingUDPAt: "0.0.0.0", port: 53)
    let text = """
      [underlay]
      interface = "wan"
      [[vtep]]
      vni = 1
      address = "192.0.2.2"
      [[vtep]]
      vni = 1
      address = "198.51.100.1"
      """
    #expect(
      mistakes(in: text, against: machine) == [
        "x.toml:8: vtep.address: 198.51.100.1 is this host's own address, on eth0; "
          + "accepted: an IPv4 address of one host like \"192.0.2.1\""
      ])
  }
}

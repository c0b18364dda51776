// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import HostNetwork
import Inet
import Sealing
import Testing

@testable import Node

/// `[mesh]`; where its secrets come from is `MeshPasswordTests`'.
@Suite struct MeshConfigurationTests {
  private let bare = "[underlay]\ninterface = \"eth0\"\n"
  private let machine = MachineFacts(
    cores: [0], interfaces: ["eth0"], addresses: ["eth0": [IPv4Address(bits: 0xC000_0201)]])

  @Test func anEmptySectionIsAMeshWithDefaults() throws {
    let configuration = try Configuration.parse(text: bare + "[mesh]\n", file: "x.toml")
    let options = try #require(configuration.meshOptions(hostName: "hosta"))
    #expect(options.name == nil && options.nickname == "hosta" && options.port == 6783)
    #expect(options.listenAddress.bits == 0 && options.targets.isEmpty)
    #expect(options.password == nil && options.hasDiscovery)
    #expect(options.connectionCountMax == 200 && options.trustedSubnets.isEmpty)
    #expect(options.acceptedPasswords.isEmpty && options.ciphers == nil)
    #expect(options.rekeySeconds == 3600)
  }

  @Test func everyKeyReachesTheControlPlane() throws {
    let configuration = try Configuration.parse(text: completeFile, file: "x.toml")
    let options = try #require(configuration.meshOptions(hostName: "hosta"))
    #expect(options.name?.description == "02:00:00:00:00:0a" && options.nickname == "left")
    #expect(options.port == 6780 && options.listenAddress.description == "192.0.2.1")
    #expect(options.targets == ["host-b", "192.0.2.3:6784"])
    #expect(!options.hasDiscovery && options.connectionCountMax == 50)
    #expect(options.ciphers == [.chacha20poly1305] && options.rekeySeconds == 600)
    #expect(options.trustedSubnets.map(\.description) == ["10.0.0.0/8", "192.0.2.0/24"])
  }

  @Test func theTwoPortsOfAHostDiffer() {
    let found = mistakes(in: bare + "vxlan_port = 6783\n[mesh]\n")
    #expect(
      found == [
        "x.toml:4: mesh.port: 6783 is the port of underlay.vxlan_port already; "
          + "accepted: a port that is another, and the one above it as well"
      ])
    #expect(
      mistakes(in: bare + "[mesh]\nport = 4789\n").first?.hasPrefix("x.toml:4: mesh.port: 4789 is")
        == true)
    #expect(mistakes(in: bare + "vxlan_port = 6783\n").isEmpty)
    #expect(
      mistakes(in: bare + "vxlan_port = 6784\n[mesh]\n").first?.hasPrefix(
        "x.toml:4: mesh.port: 6784 is the port of underlay.vxlan_port already") == true)
  }

  @Test func aListenAddressIsThisHosts() {
    for address in ["192.0.2.1", "0.0.0.0", "127.0.0.1"] {
      #expect(mistakes(in: bare + "[mesh]\nlisten = \"\(address)\"\n", against: machine).isEmpty)
    }
    #expect(
      mistakes(in: bare + "[mesh]\nlisten = \"192.0.2.9\"\n", against: machine) == [
        "x.toml:4: mesh.listen: 192.0.2.9 is not an address of this host; accepted: an IPv4 "
          + "address of this host like \"192.0.2.1\", or \"0.0.0.0\""
      ])
  }

  @Test(
    arguments: [
      ("0.0.0.0", "192.0.2.1", true), ("192.0.2.1", "192.0.2.1", true),
      ("127.0.0.1", "0.0.0.0", true), ("127.0.0.1", "192.0.2.1", false),
    ] as [(String, String, Bool)])
  func aPortThatSomebodyHasIsRefused(taken: String, listen: String, isRefused: Bool) throws {
    var machine = machine
    let address = try #require(IPv4Address(taken))
    machine.udpReceivers = [UDPReceiver(address: address, port: 6783)]
    let text = bare + "[mesh]\nlisten = \"\(listen)\"\n"
    let told =
      "x.toml:3: mesh.port: UDP port 6783 is in use: something on this host receives at \(taken); "
      + "accepted: a port that is free, and the one above it as well; `ss -ulpn` shows who has it, "
      + "a router of Weave Net perhaps"
    #expect(mistakes(in: text, against: machine) == (isRefused ? [told] : []))
    #expect(mistakes(in: text + "port = 6784\n", against: machine).isEmpty)
    #expect(mistakes(in: bare, against: machine).isEmpty)
  }

  @Test func aDaemonKnowsItsOwnPorts() throws {
    let complete = try Configuration.parse(text: completeFile, file: "x.toml")
    #expect(complete.udpPorts == [8472, 6780, 6781])
    #expect(try Configuration.parse(text: bare, file: "x.toml").udpPorts == [])
    #expect(
      try Configuration.parse(text: bare + "[mesh]\n", file: "x.toml").udpPorts == [6783, 6784])
  }

  @Test func theHostsOfTheExampleFindEachOther() throws {
    let folder = repository.appending(path: "configs").path
    let one = try Configuration.load(path: "\(folder)/mesh-a.toml")
    let other = try Configuration.load(path: "\(folder)/mesh-b.toml")
    #expect(one.hasMesh && one.mesh.peers.isEmpty && one.vteps.isEmpty)
    #expect(other.mesh.peers.map(\.description) == ["192.0.2.1"])
    #expect(one.mesh.nickname == "host-a" && other.mesh.nickname == "host-b")
    #expect(one.api.socket != other.api.socket)
  }
}

// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Forwarding
import Foundation
import Inet
import Logging
import Sealing
import Testing

@testable import Node

@Suite struct ConfigurationTests {
  @Test func nothingIsRequired() throws {
    let configuration = try Configuration.parse(text: "", file: "x.toml")
    #expect(configuration.logLevel == .info)
    #expect(
      configuration.underlay
        == .init(interface: nil, mode: .automatic, vxlanPort: 4789, xdp: .automatic))
    #expect(configuration.workers == .init(cores: nil, idle: .adaptive, frames: 16384))
    #expect(configuration.overlay == .init(mtu: nil))
    #expect(configuration.api == .init(socket: "/run/weft/weft.sock"))
    #expect(configuration.attachments == .init(onStop: .remove, xdp: .automatic))
    #expect(!configuration.hasMesh && configuration.meshOptions(hostName: "h") == nil)
    #expect(configuration.vteps.isEmpty)
    #expect(configuration.faults.isEmpty)
  }

  @Test func everyKeyReachesItsPlace() throws {
    let configuration = try Configuration.parse(text: completeFile, file: "x.toml")
    #expect(configuration.logLevel == .trace)
    #expect(
      configuration.underlay
        == .init(interface: "wan", mode: .socket, vxlanPort: 8472, xdp: .generic))
    #expect(configuration.workers == .init(cores: [3, 1], idle: .spin, frames: 4096))
    #expect(configuration.overlay == .init(mtu: 1376))
    #expect(configuration.api == .init(socket: "/run/other.sock"))
    #expect(configuration.attachments == .init(onStop: .keep, xdp: .native))
    #expect(configuration.hasMesh)
    #expect(
      configuration.mesh
        == .init(
          name: PeerName(bits: 0x0200_0000_000A), nickname: "left", port: 6780,
          listenAddress: IPv4Address(bits: 0xC000_0201),
          peers: ["host-b", "192.0.2.3:6784"].compactMap { PeerTarget($0) },
          passwordFile: "/etc/weft/password",
          acceptedPasswordFiles: ["/etc/weft/new", "/etc/weft/old"], cipher: .chacha20poly1305,
          rekeySeconds: 600, hasDiscovery: false, connectionCountMax: 50,
          trustedSubnets: ["10.0.0.0/8", "192.0.2.0/24"].compactMap { IPv4Prefix($0) },
          password: nil))
    #expect(
      configuration.vteps == [
        .init(address: IPv4Address(bits: 0xC000_0202), vni: VirtualNetwork(bits: 42), port: 4789),
        .init(address: IPv4Address(bits: 0xC000_0203), vni: VirtualNetwork(bits: 43), port: 99),
      ])
    #expect(
      configuration.faults == [
        PortFault(
          interface: "weft0",
          settings: FaultSettings(
            seed: 7, loss: 100_000, duplication: 5000, reordering: 1, corruption: 1_000_000,
            truncation: 333_333)),
        PortFault(interface: "containers", settings: FaultSettings(seed: 1, loss: 20_000)),
      ])
  }

  @Test func completeFileHoldsEveryKey() {
    let keys = ConfigurationTable.all.flatMap(\.keys)
    for key in keys {
      #expect(completeFile.contains("\(key.name) = "), "\(key.dottedName)")
    }
    #expect(keys.count == 34)
  }

  @Test func otherSpellingsOfTheSameTOMLMeanTheSame() throws {
    let spelled = try Configuration.parse(
      text: """
        underlay = { 'interface' = 'wan', mode = "socket", "vxlan\\u005fport" = 0x2118, \
        xdp = "generic" }
        log_level = '''trace'''
        workers.cores = [ # the slow ones stay free
          3,
          1, ]
        workers.idle = "spin"
        workers.frames = 4_096
        api.socket = "/run/other.sock"
        overlay.mtu = +1376
        vtep = [ { address = "192.0.2.2", vni = 42 },
          { address = "192.0.2.3", vni = 0b101011, port = 99 } ]
        attachments = { on_stop = "keep", xdp = "native" }
        mesh = { name = "2::a", nickname = "l\\u0065ft", port = 6_780, listen = '192.0.2.1', \
        peers = ["host-b",
          "192.0.2.3:6784"], password_file = "/etc/weft/password", discovery = false, \
        accepted_password_files = ['/etc/weft/new', "/etc/weft/old",], rekey_seconds = 6_00, \
        cipher = "chacha20\\u0070oly1305", \
        connection_limit = 0x32, trusted_subnets = ["10.0.0.0/8", "192.0.2.0/24",] }
        [[fault]]
        interface = "weft0"
        seed = 7
        loss = 1e1
        duplication = 5E-1
        reordering = 0.0001
        corruption = 100.0
        truncation = 33.3333
        [[fault]]
        interface = 'containers'
        loss = 2.0
        """, file: "x.toml")
    #expect(spelled == (try Configuration.parse(text: completeFile, file: "y.toml")))
  }

  @Test(arguments: try files(in: "configs", suffix: ".toml"))
  func fileInConfigsLoadsAndBeginsWithWhatItIsFor(_ path: String) throws {
    _ = try Configuration.load(path: path)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.prefix(8).allSatisfy { $0.hasPrefix("#") }, "\(path)")
  }

  @Test func theSingleHostHasNoEndpoints() throws {
    let path = repository.appending(path: "configs/single-host.toml").path
    let alone = try Configuration.load(path: path)
    #expect(alone.vteps.isEmpty)
    #expect(alone.attachments.onStop == .keep && alone.underlay.xdp == .generic)
  }

  @Test func theHostBehindABridgeNeedsNoAFXDP() throws {
    let path = repository.appending(path: "configs/socket.toml").path
    let host = try Configuration.load(path: path)
    #expect(host.underlay.interface == "br0" && host.underlay.mode == .automatic)
    #expect(host.hasMesh && !host.mesh.peers.isEmpty)
  }

  @Test func theEncryptedHostHasOnePasswordAndRenewsKeys() throws {
    let path = repository.appending(path: "configs/encrypted.toml").path
    let mesh = try Configuration.load(path: path).mesh
    #expect(mesh.passwordFile == "/etc/weft/mesh-password")
    #expect(mesh.acceptedPasswordFiles.isEmpty)
    #expect(mesh.cipher == nil && mesh.rekeySeconds == 1800)
  }

  @Test func theFileForPerformanceLeavesACoreAndNeverSleeps() throws {
    let path = repository.appending(path: "configs/performance.toml").path
    let fast = try Configuration.load(path: path)
    #expect(fast.workers == .init(cores: [1, 2, 3], idle: .spin, frames: 32768))
    #expect(fast.underlay.xdp == .native && fast.underlay.mode == .xdp)
    try fast.validate(against: MachineFacts(cores: [0, 1, 2, 3], interfaces: ["eth0"]))
  }

  @Test func theTwoHostsOfTheExampleNameEachOther() throws {
    let folder = repository.appending(path: "configs").path
    let one = try Configuration.load(path: "\(folder)/two-hosts-a.toml")
    let other = try Configuration.load(path: "\(folder)/two-hosts-b.toml")
    #expect(one.vteps.map(\.address.description) == ["192.0.2.2"])
    #expect(other.vteps.map(\.address.description) == ["192.0.2.1"])
    #expect(one.vteps.map(\.vni) == other.vteps.map(\.vni))
    #expect(one.api.socket == "/run/weft-a/weft.sock")
    #expect(other.api.socket == "/run/weft-b/weft.sock")
    #expect(one.workers.cores == [0] && other.workers.cores == [1])
  }
}

/// A good file with every key, none at its default, one vtep with and one without a port.
let completeFile = """
  log_level = "trace"

  [underlay]
  interface = "wan"
  mode = "socket"
  vxlan_port = 8472
  xdp = "generic"

  [workers]
  cores = [3, 1]
  idle = "spin"
  frames = 4096

  [overlay]
  mtu = 1376

  [api]
  socket = "/run/other.sock"

  [attachments]
  on_stop = "keep"
  xdp = "native"

  [mesh]
  name = "02:00:00:00:00:0a"
  nickname = "left"
  port = 6780
  listen = "192.0.2.1"
  peers = ["host-b", "192.0.2.3:6784"]
  password_file = "/etc/weft/password"
  accepted_password_files = ["/etc/weft/new", "/etc/weft/old"]
  cipher = "chacha20poly1305"
  rekey_seconds = 600
  discovery = false
  connection_limit = 50
  trusted_subnets = ["10.0.0.0/8", "192.0.2.0/24"]

  [[vtep]]
  address = "192.0.2.2"
  vni = 42

  [[vtep]]
  address = "192.0.2.3"
  vni = 43
  port = 99

  [[fault]]
  interface = "weft0"
  seed = 7
  loss = 10
  duplication = 0.5
  reordering = 0.0001
  corruption = 100
  truncation = 33.33333

  [[fault]]
  interface = "containers"
  loss = 2

  """

/// The checkout these tests were built from.
let repository = URL(filePath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

func files(in folder: String, suffix: String) throws -> [String] {
  let path = repository.appending(path: folder).path
  let names = try FileManager.default.contentsOfDirectory(atPath: path)
  return names.filter { $0.hasSuffix(suffix) }.sorted().map { "\(path)/\($0)" }
}

/// What is wrong with `text`, a line for each mistake; empty if nothing is.
func mistakes(in text: String, against machine: MachineFacts? = nil) -> [String] {
  do throws(ConfigurationErrors) {
    _ = try Configuration.parse(text: text, file: "x.toml", against: machine)
    return []
  } catch {
    return error.issues.map(\.description)
  }
}

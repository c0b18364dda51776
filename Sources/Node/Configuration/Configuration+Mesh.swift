// SPDX-License-Identifier: Apache-2.0

package import ControlPlane
import HostNetwork
package import Inet
package import Sealing

extension Configuration {
  /// How peers find each other.
  package struct Mesh: Sendable {
    /// This host's name in the mesh; nil: derived from the host.
    package var name: PeerName?
    /// What people call it; nil: the host's name.
    package var nickname: String?
    /// The port of TCP and UDP.
    package var port: UInt16
    /// The address to receive at; 0.0.0.0: all.
    package var listenAddress: IPv4Address
    /// Whom to be connected with.
    package var peers: [PeerTarget]
    /// The file with the secret; nil: the environment may have it.
    package var passwordFile: String?
    /// Files with secrets that others may have instead, for the time of a change.
    package var acceptedPasswordFiles: [String]
    /// How frames are sealed; nil: as the processor does it best.
    package var cipher: CipherSuite?
    /// Seconds until frames are sealed with another key.
    package var rekeySeconds: Int
    /// Whether peers of peers are dialled.
    package var hasDiscovery: Bool
    /// Connections at most; 0: no limit.
    package var connectionCountMax: Int
    /// Paths to these need no encryption of frames.
    package var trustedSubnets: [IPv4Prefix]
    /// The secret, once it was read; nil: nothing is encrypted.
    package var password: Password?
    /// The secrets that others may have instead, once they were read.
    package var acceptedPasswords: [Password] = []
  }

  /// The mesh for the control plane; nil if there is none.
  package func meshOptions(hostName: String) -> ControlPlane.MeshOptions? {
    guard hasMesh else { return nil }
    var options = ControlPlane.MeshOptions(nickname: mesh.nickname ?? hostName)
    options.name = mesh.name
    options.port = mesh.port
    options.listenAddress = mesh.listenAddress
    options.targets = mesh.peers.map(\.description)
    options.password = mesh.password
    options.acceptedPasswords = mesh.acceptedPasswords
    options.ciphers = mesh.cipher.map { [$0] }
    options.rekeySeconds = mesh.rekeySeconds
    options.hasDiscovery = mesh.hasDiscovery
    options.connectionCountMax = mesh.connectionCountMax
    options.trustedSubnets = mesh.trustedSubnets
    return options
  }

  /// Where this host takes UDP.
  package var udpPorts: Set<UInt16> {
    Set(
      (vteps.isEmpty ? [] : [underlay.vxlanPort]) + (hasMesh ? [mesh.port, mesh.framePort] : []))
  }

  /// Notes an address to receive at that is another host's, and a port that somebody else has.
  func checkMesh(against machine: MachineFacts, into issues: inout ConfigurationIssues) {
    let address = mesh.listenAddress
    let isOurs = machine.addresses.values.contains { $0.contains(address) }
    if address.bits != 0, !address.isLoopback, !isOurs {
      let key = ConfigurationSettings.listen.key
      issues.add(
        line: origin.listenLine, key: key.dottedName, "\(address) is not an address of this host",
        accepted: key.accepted)
    }
    if let cipher = mesh.cipher, !cipher.isAvailable {
      issues.add(
        line: origin.cipherLine, key: ConfigurationSettings.cipher.key.dottedName,
        "this processor lacks what \(cipher.name) needs",
        accepted: (["auto"] + CipherSuite.available.map(\.name)).map { "\"\($0)\"" }
          .joined(separator: ", "))
    }
    for port in [mesh.port, mesh.framePort] {
      let taken = machine.udpReceivers.filter {
        $0.port == port && ($0.address.bits == 0 || address.bits == 0 || $0.address == address)
      }
      guard let first = taken.map(\.address).min() else { continue }
      issues.add(
        line: origin.meshPortLine, key: ConfigurationSettings.meshPort.key.dottedName,
        "UDP port \(port) is in use: something on this host receives at \(first)",
        accepted:
          "a port that is free, and the one above it as well; `ss -ulpn` shows who has it, a"
          + " router of Weave Net perhaps")
    }
  }
}

extension Configuration.Mesh {
  /// The UDP port at which frames of peers arrive.
  package var framePort: UInt16 { port &+ 1 }
}

extension Configuration.Mesh: Equatable {
  /// Compares what is configured; the secrets themselves, which stand elsewhere, do not count.
  package static func == (left: Self, right: Self) -> Bool {
    left.name == right.name && left.nickname == right.nickname && left.port == right.port
      && left.listenAddress == right.listenAddress && left.peers == right.peers
      && left.passwordFile == right.passwordFile
      && left.acceptedPasswordFiles == right.acceptedPasswordFiles
      && left.cipher == right.cipher && left.rekeySeconds == right.rekeySeconds
      && left.hasDiscovery == right.hasDiscovery
      && left.connectionCountMax == right.connectionCountMax
      && left.trustedSubnets == right.trustedSubnets
  }
}

extension ConfigurationReader {
  /// What `[mesh]` says, or what holds without it.
  mutating func settings(of section: Section, beside underlay: Section) -> Configuration.Mesh {
    func line<Value>(_ setting: ConfigurationSetting<Value>) -> Int? {
      section.members[setting.key.name]?.line
    }
    origin.listenLine = line(ConfigurationSettings.listen)
    origin.passwordFileLine = line(ConfigurationSettings.passwordFile)
    origin.cipherLine = line(ConfigurationSettings.cipher)
    origin.acceptedPasswordsLine = line(ConfigurationSettings.acceptedPasswordFiles)
    origin.acceptedPasswordLines = acceptedPasswordLines(section)
    origin.meshPortLine = line(ConfigurationSettings.meshPort) ?? section.line
    let mesh = Configuration.Mesh(
      name: value(ConfigurationSettings.meshName, in: section) ?? nil,
      nickname: value(ConfigurationSettings.nickname, in: section) ?? nil,
      port: value(ConfigurationSettings.meshPort, in: section) ?? 0,
      listenAddress: value(ConfigurationSettings.listen, in: section) ?? IPv4Address(bits: 0),
      peers: value(ConfigurationSettings.peers, in: section) ?? [],
      passwordFile: value(ConfigurationSettings.passwordFile, in: section) ?? nil,
      acceptedPasswordFiles: value(ConfigurationSettings.acceptedPasswordFiles, in: section) ?? [],
      cipher: value(ConfigurationSettings.cipher, in: section) ?? nil,
      rekeySeconds: value(ConfigurationSettings.rekeySeconds, in: section) ?? 0,
      hasDiscovery: value(ConfigurationSettings.discovery, in: section) ?? true,
      connectionCountMax: value(ConfigurationSettings.connectionLimit, in: section) ?? 0,
      trustedSubnets: value(ConfigurationSettings.trustedSubnets, in: section) ?? [],
      password: nil)
    refuseOwnPassword(of: mesh)
    if section.line != nil, mesh.port > 0, let vxlan = vxlanPort(underlay),
      [mesh.port, mesh.framePort].contains(vxlan)
    {
      issues.add(
        line: origin.meshPortLine, key: ConfigurationSettings.meshPort.key.dottedName,
        "\(vxlan) is the port of underlay.vxlan_port already",
        accepted: "a port that is another, and the one above it as well")
    }
    return mesh
  }

  /// The port of VXLAN if it is usable; what is wrong with it is told elsewhere.
  private func vxlanPort(_ underlay: Section) -> UInt16? {
    let setting = ConfigurationSettings.vxlanPort
    return underlay.members[setting.key.name].map { setting.read($0).value } ?? setting.fallback
  }
}

// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Inet
import Sealing

/// The keys of `[mesh]`.
extension ConfigurationSettings {
  static let meshName = ConfigurationSetting<PeerName?>.optionalText(
    name(
      "name",
      "This host's name in the mesh; no two peers may have the same, and it must not change from "
        + "start to start."),
    default: "derived from the host",
    accepted: "six octets like \"02:00:00:00:00:0a\", not all zero"
  ) { text in
    guard let name = PeerName(text) else { return .bad("is not a peer's name") }
    return name == .unknown ? .bad("stands for a peer that is not known") : .good(name)
  }

  static let nickname = ConfigurationSetting<String?>.optionalText(
    name("nickname", "What people call this host, in the status of every peer."),
    default: "the host's name", accepted: "text of 1 to 64 bytes without control characters"
  ) { text in
    if text.isEmpty { return .bad("is empty") }
    if text.utf8.count > 64 { return .bad("is \(text.utf8.count) bytes long") }
    let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    return isPlain ? .good(text) : .bad("holds a control character")
  }

  static let meshPort = ConfigurationSetting<UInt16>.number(
    name(
      "port",
      "The port of TCP and UDP at which this peer receives, and at which peers are dialled that "
        + "are named without one. Frames of peers arrive at the UDP port above it."),
    in: 1...65534, default: 6783)

  static let listen = ConfigurationSetting<IPv4Address>(
    key: name("listen", "The address at which this peer receives; 0.0.0.0 stands for all.").key(
      type: "text", fallback: Quoted.text("0.0.0.0"),
      accepted: "an IPv4 address of this host like \"192.0.2.1\", or \"0.0.0.0\""),
    fallback: IPv4Address(bits: 0)
  ) { node in
    guard case .text(let text) = node.content else {
      return .bad("\(node.kind), not text in quotes")
    }
    guard let address = IPv4Address(text) else {
      return .bad("\(Quoted.text(text)) is not an IPv4 address")
    }
    guard address.bits == 0 || address.isUnicast || address.isLoopback else {
      return .bad("\(address) is not the address of one host")
    }
    return .good(address)
  }

  static let peers = ConfigurationSetting<[PeerTarget]>.distinctTexts(
    name(
      "peers",
      "Peers to be connected with; others are found through them. Those that do not answer are "
        + "dialled again and again.", .reload),
    accepted: "a list of hosts' names or IPv4 addresses, each with its port if that is another "
      + "than ours, like [\"host-b\", \"192.0.2.2:6783\"]"
  ) { text in
    PeerTarget(text).map { .good($0) } ?? .bad("is not a peer's host or host:port")
  }

  static let passwordFile = ConfigurationSetting<String?>.optionalText(
    name(
      "password_file",
      "The file with the secret that all peers share, read at start and at each reload; with one, "
        + "what peers tell each other is encrypted, and who has it not is no peer. Without this "
        + "key the environment's WEFT_PASSWORD or WEAVE_PASSWORD is taken. From no password to "
        + "one, or back, takes a restart.", .reload),
    default: "the environment, or nothing is encrypted",
    accepted: "the absolute path of a file of 1 to \(MeshPassword.lengthMax) bytes that only its "
      + "owner may read", parse: filePath)

  static let acceptedPasswordFiles = ConfigurationSetting<[String]>.distinctTexts(
    name(
      "accepted_password_files",
      "Files with secrets that other hosts may have instead of ours, for the time in which the "
        + "password is changed from host to host; read when password_file is.", .reload),
    atMost: acceptedPasswordFilesMax,
    accepted: "a list of at most \(acceptedPasswordFilesMax) absolute paths of files like "
      + "password_file, with passwords that are not our own", parse: filePath)

  private static let acceptedPasswordFilesMax = 3

  private static func filePath(_ path: String) -> ConfigurationReading<String> {
    if !path.hasPrefix("/") { return .bad("is not an absolute path") }
    if path.utf8.count > 1024 { return .bad("is \(path.utf8.count) bytes long") }
    if path.hasSuffix("/") { return .bad("names a folder") }
    let isPlain = path.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
    return isPlain ? .good(path) : .bad("holds a control character")
  }

  static let cipher = ConfigurationSetting<CipherSuite?>.choice(
    name(
      "cipher",
      "How frames in sleeve's datagrams are sealed between Weft's hosts: auto takes what this "
        + "processor does best of what both ends have; with a name it is that one, and a Weft "
        + "host that does not have it is refused. Weave's routers have only secretbox, and are "
        + "given it always."),
    default: nil,
    of: [("auto", nil)]
      + [CipherSuite.aes256gcm, .chacha20poly1305, .secretbox].map { ($0.name, $0) })

  static let rekeySeconds = ConfigurationSetting<Int>.number(
    name(
      "rekey_seconds",
      "How long frames are sealed with one key between Weft's hosts; no frame is lost when the "
        + "next one is taken.", .reload),
    in: 1...86_400, default: 3600, unit: "seconds")

  static let discovery = ConfigurationSetting<Bool>.flag(
    name("discovery", "Whether peers of peers are dialled, and not only those that are listed."),
    default: true)

  static let connectionLimit = ConfigurationSetting<Int>.number(
    name("connection_limit", "Connections with other peers at most; 0 for no limit."),
    in: 0...4096, default: 200)

  static let trustedSubnets = ConfigurationSetting<[IPv4Prefix]>.distinctTexts(
    name(
      "trusted_subnets",
      "Networks in which frames between two peers need no encryption; both ends must list them."),
    accepted: "a list of IPv4 networks like [\"10.0.0.0/8\", \"192.0.2.0/24\"]"
  ) { text in
    guard let prefix = IPv4Prefix(text) else {
      return .bad("is not an IPv4 network with its prefix length")
    }
    guard prefix.address == prefix.network else {
      return .bad(
        "has bits set behind its prefix; the network is \(prefix.network)/\(prefix.length)")
    }
    return .good(prefix)
  }

  private static func name(
    _ name: String, _ meaning: String, _ takesEffect: ConfigurationKey.Effect = .restart
  ) -> ConfigurationKeyName {
    ConfigurationKeyName(table: "mesh", name: name, takesEffect: takesEffect, meaning: meaning)
  }
}

extension IPv4Address {
  /// 127.0.0.0/8: every host has these.
  var isLoopback: Bool { bits >> 24 == 127 }
}

// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Dataplane
import Inet
import Logging

/// The key table: every key a configuration file may hold.
enum ConfigurationSettings {
  static let logLevel = ConfigurationSetting<Logger.Level>.choice(
    .init(
      table: "", name: "log_level", takesEffect: .reload,
      meaning: "The least important messages still written."),
    default: .info, of: Logger.Level.allCases.map { ($0.rawValue, $0) })

  static let interface = ConfigurationSetting<String?>.optionalText(
    .init(
      table: "underlay", name: "interface", takesEffect: .restart,
      meaning: "The interface that reaches the other hosts; hosts behind others are reached "
        + "through the kernel's UDP sockets, as all are without this key."),
    default: "none", accepted: "the name of an interface, 1 to 15 bytes"
  ) { name in interfaceProblem(name).map { .bad($0) } ?? .good(name) }

  static let underlayMode = ConfigurationSetting<UnderlayMode>.choice(
    .init(
      table: "underlay", name: "mode", takesEffect: .restart,
      meaning:
        "Whether packets pass the interface through AF_XDP, past the network stack (xdp), or "
        + "through the kernel's UDP sockets, without a program on it (socket); automatic takes "
        + "AF_XDP on a physical or veth interface if it works there, else sockets; with xdp, weftd "
        + "does not start where it does not work."),
    default: .automatic, of: UnderlayMode.allCases.map { ($0.rawValue, $0) })

  static let vxlanPort = ConfigurationSetting<UInt16>.number(
    .init(
      table: "underlay", name: "vxlan_port", takesEffect: .restart,
      meaning: "The UDP port at which VXLAN arrives."),
    in: 1...65535, default: 4789)

  static let xdp = ConfigurationSetting<Configuration.XDPMode>.choice(
    .init(
      table: "underlay", name: "xdp", takesEffect: .restart,
      meaning: "Whether the XDP program runs in the driver (native) or in the network stack "
        + "(generic, slower); automatic takes the driver if it can."),
    default: .automatic, of: Configuration.XDPMode.allCases.map { ($0.rawValue, $0) })

  static let cores = ConfigurationSetting<[Int]?>.distinctNumbers(
    .init(
      table: "workers", name: "cores", takesEffect: .restart,
      meaning: "The cores that move frames, with one worker thread pinned to each."),
    noun: "core", in: 0...1023, countMax: Engine.workerCountMax,
    default: "all cores but the first, at least one and at most \(Engine.workerCountMax); where "
      + "the underlay may go through AF_XDP, no more than `underlay.interface` has queues, else "
      + "no more than 4")

  static let idle = ConfigurationSetting<Configuration.Idle>.choice(
    .init(
      table: "workers", name: "idle", takesEffect: .restart,
      meaning: "Whether a worker without frames sleeps (adaptive) or keeps its core busy for the "
        + "shortest delay (spin)."),
    default: .adaptive, of: Configuration.Idle.allCases.map { ($0.rawValue, $0) })

  static let frames = ConfigurationSetting<Int>.powerOfTwo(
    .init(
      table: "workers", name: "frames", takesEffect: .restart,
      meaning: "How many frames each worker can hold at once, at 4 KiB of memory for each."),
    in: 1024...1_048_576, default: 16384)

  static let mtu = ConfigurationSetting<Int?>.optionalNumber(
    .init(
      table: "overlay", name: "mtu", takesEffect: .reload,
      meaning: "The MTU that containers' interfaces are given when they are attached; "
        + "VXLAN adds 50 bytes, and what does not fit into the underlay's MTU then travels in "
        + "pieces or, where it may not, is refused."),
    in: 576...65535, default: "the underlay's MTU (or 1500) less 50, with a password less 86",
    unit: "bytes")

  static let socket = ConfigurationSetting<String>.text(
    .init(
      table: "api", name: "socket", takesEffect: .restart,
      meaning: "The unix socket at which `weft` reaches this daemon."),
    default: "/run/weft/weft.sock",
    accepted: "an absolute path of at most 90 bytes", rule: socketProblem)

  static let onStop = ConfigurationSetting<Configuration.OnStop>.choice(
    .init(
      table: "attachments", name: "on_stop", takesEffect: .reload,
      meaning: "Whether a clean stop removes the containers' interfaces (remove) or leaves them, "
        + "dropping every frame, for the next start to take over (keep)."),
    default: .remove, of: Configuration.OnStop.allCases.map { ($0.rawValue, $0) })

  static let attachmentsXDP = ConfigurationSetting<Configuration.XDPMode>.choice(
    .init(
      table: "attachments", name: "xdp", takesEffect: .restart,
      meaning: "Whether the XDP programs of containers' and the host's own ports run in the driver "
        + "(native) or in the network stack (generic); automatic takes what carries test frames, "
        + "and of two modes that do the cheaper."),
    default: .automatic, of: Configuration.XDPMode.allCases.map { ($0.rawValue, $0) })

  static let address = ConfigurationSetting<IPv4Address>.unicastAddress(
    .init(
      table: "vtep", name: "address", takesEffect: .reload,
      meaning: "The other host's address in the underlay."))

  static let vni = ConfigurationSetting<UInt32>.number(
    .init(
      table: "vtep", name: "vni", takesEffect: .reload,
      meaning: "The VXLAN network identifier that both hosts put on their frames."),
    in: 1...16_777_215, default: nil)

  static let port = ConfigurationSetting<UInt16>.number(
    .init(
      table: "vtep", name: "port", takesEffect: .reload,
      meaning: "The UDP port at which the other host listens."),
    in: 1...65535, default: 4789)
}

extension ConfigurationTable {
  /// The sections of a file in the order of the reference; the first is the top of the file.
  package static let all = [
    ConfigurationTable(
      name: "", isRepeated: false, meaning: "Keys that stand before the first section.",
      keys: [ConfigurationSettings.logLevel.key]),
    ConfigurationTable(
      name: "underlay", isRepeated: false,
      meaning: "The outer network: how frames travel between hosts.",
      keys: [
        ConfigurationSettings.interface.key, ConfigurationSettings.underlayMode.key,
        ConfigurationSettings.vxlanPort.key, ConfigurationSettings.xdp.key,
      ]),
    ConfigurationTable(
      name: "workers", isRepeated: false, meaning: "The threads that move frames.",
      keys: [
        ConfigurationSettings.cores.key, ConfigurationSettings.idle.key,
        ConfigurationSettings.frames.key,
      ]),
    ConfigurationTable(
      name: "overlay", isRepeated: false, meaning: "The network between containers.",
      keys: [ConfigurationSettings.mtu.key]),
    ConfigurationTable(
      name: "api", isRepeated: false, meaning: "How `weft` reaches this daemon.",
      keys: [ConfigurationSettings.socket.key]),
    ConfigurationTable(
      name: "attachments", isRepeated: false, meaning: "What happens to containers' interfaces.",
      keys: [ConfigurationSettings.onStop.key, ConfigurationSettings.attachmentsXDP.key]),
    ConfigurationTable(
      name: "mesh", isRepeated: false, isSwitch: true,
      meaning: "How hosts find each other: with this section, even an empty one, this host is a "
        + "peer of a mesh that speaks Weave Net's protocol; without it there is no mesh.",
      keys: [
        ConfigurationSettings.meshName.key, ConfigurationSettings.nickname.key,
        ConfigurationSettings.meshPort.key, ConfigurationSettings.listen.key,
        ConfigurationSettings.peers.key, ConfigurationSettings.passwordFile.key,
        ConfigurationSettings.acceptedPasswordFiles.key, ConfigurationSettings.cipher.key,
        ConfigurationSettings.rekeySeconds.key,
        ConfigurationSettings.discovery.key, ConfigurationSettings.connectionLimit.key,
        ConfigurationSettings.trustedSubnets.key,
      ]),
    ConfigurationTable(
      name: "vtep", isRepeated: true,
      meaning: "A VXLAN endpoint (RFC 7348) to exchange frames with; one section for each.",
      keys: [
        ConfigurationSettings.address.key, ConfigurationSettings.vni.key,
        ConfigurationSettings.port.key,
      ]),
    ConfigurationTable(
      name: "fault", isRepeated: true,
      meaning: "A port whose incoming frames are made bad on purpose, to see what happens then; "
        + "for tests, never for a network that is needed.",
      keys: [
        ConfigurationSettings.faultInterface.key, ConfigurationSettings.seed.key,
        ConfigurationSettings.loss.key, ConfigurationSettings.duplication.key,
        ConfigurationSettings.reordering.key, ConfigurationSettings.corruption.key,
        ConfigurationSettings.truncation.key,
      ]),
  ]
}

/// The kernel's rules for an interface's name.
private func interfaceProblem(_ name: String) -> String? {
  if name.isEmpty { return "is empty" }
  if name.utf8.count > 15 { return "is \(name.utf8.count) bytes long" }
  if name == "." || name == ".." { return "is not a name the kernel allows" }
  let isPlain = name.utf8.allSatisfy { byte in
    byte > UInt8(ascii: " ") && byte != 127 && byte != UInt8(ascii: "/")
      && byte != UInt8(ascii: ":")
  }
  return isPlain ? nil : "holds a blank, a control character, a slash or a colon"
}

/// A unix socket's path has 108 bytes in the kernel's interface, with a NUL at its end.
private func socketProblem(_ path: String) -> String? {
  if !path.hasPrefix("/") { return "is not an absolute path" }
  if path.utf8.count > 90 { return "is \(path.utf8.count) bytes long" }
  if path.hasSuffix("/") { return "names a folder" }
  let isPlain = path.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
  return isPlain ? nil : "holds a control character"
}

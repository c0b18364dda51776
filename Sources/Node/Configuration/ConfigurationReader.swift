// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Forwarding
import Inet
import Logging

/// Turns a parsed file into a `Configuration`, collecting every mistake on the way.
///
/// What is wrong is replaced by its default, so that the rest can still be checked; the result may
/// be used only if there are no issues.
struct ConfigurationReader {
  /// What is wrong so far.
  var issues: ConfigurationIssues
  /// Where values were written.
  var origin: ConfigurationOrigin

  /// A section as it was found, and where.
  struct Section {
    /// Nil if it is absent.
    let line: Int?
    let members: [String: TOMLNode]
  }

  init(file: String) {
    issues = ConfigurationIssues(file: file)
    origin = ConfigurationOrigin(file: file)
  }

  mutating func configuration(from root: [String: TOMLNode]) -> Configuration {
    let top = Section(line: nil, members: root)
    reportUnknownKeys(of: top, in: "")
    let underlay = section("underlay", of: root)
    let workers = section("workers", of: root)
    let overlay = section("overlay", of: root)
    let api = section("api", of: root)
    let attachments = section("attachments", of: root)
    origin.interfaceLine = underlay.members[ConfigurationSettings.interface.key.name]?.line
    origin.vxlanPortLine =
      underlay.members[ConfigurationSettings.vxlanPort.key.name]?.line ?? underlay.line
    origin.coreLines = coreLines(workers)
    let mesh = section("mesh", of: root)
    return Configuration(
      logLevel: value(ConfigurationSettings.logLevel, in: top) ?? .info,
      underlay: .init(
        interface: value(ConfigurationSettings.interface, in: underlay) ?? nil,
        mode: underlayMode(underlay),
        vxlanPort: value(ConfigurationSettings.vxlanPort, in: underlay) ?? 0,
        xdp: value(ConfigurationSettings.xdp, in: underlay) ?? .automatic),
      workers: .init(
        cores: value(ConfigurationSettings.cores, in: workers) ?? nil,
        idle: value(ConfigurationSettings.idle, in: workers) ?? .adaptive,
        frames: value(ConfigurationSettings.frames, in: workers) ?? 0),
      overlay: .init(mtu: value(ConfigurationSettings.mtu, in: overlay) ?? nil),
      api: .init(socket: value(ConfigurationSettings.socket, in: api) ?? ""),
      attachments: .init(
        onStop: value(ConfigurationSettings.onStop, in: attachments) ?? .remove,
        xdp: value(ConfigurationSettings.attachmentsXDP, in: attachments) ?? .automatic),
      hasMesh: mesh.line != nil, mesh: settings(of: mesh, beside: underlay),
      vteps: vteps(of: root), faults: faults(of: root, underlay), origin: origin)
  }

  private mutating func underlayMode(_ underlay: Section) -> UnderlayMode {
    let setting = ConfigurationSettings.underlayMode
    let mode = value(setting, in: underlay) ?? .automatic
    if mode == .xdp, underlay.members[ConfigurationSettings.interface.key.name] == nil {
      issues.add(
        line: underlay.members[setting.key.name]?.line, key: setting.key.dottedName,
        "\"xdp\" needs an interface, and none is named",
        accepted: "\"xdp\" with an interface, or another mode")
    }
    return mode
  }

  private func coreLines(_ workers: Section) -> [Int: Int] {
    let cores = workers.members[ConfigurationSettings.cores.key.name]
    guard case .array(let elements)? = cores?.content else { return [:] }
    var lines: [Int: Int] = [:]
    for element in elements {
      if case .integer(let core) = element.content, lines[core] == nil {
        lines[core] = element.line
      }
    }
    return lines
  }

  /// The value that `setting` has in `section`; nil only if it is missing or wrong, and reported.
  mutating func value<Value>(
    _ setting: ConfigurationSetting<Value>, in section: Section
  ) -> Value? {
    let key = setting.key
    guard let node = section.members[key.name] else {
      if setting.fallback == nil {
        issues.add(
          line: section.line, key: key.dottedName, "is missing", accepted: key.accepted)
      }
      return setting.fallback
    }
    let reading = setting.read(node)
    for complaint in reading.complaints {
      issues.add(
        line: complaint.line ?? node.line, key: key.dottedName, complaint.message,
        accepted: key.accepted)
    }
    return reading.value
  }

  private mutating func vteps(of root: [String: TOMLNode]) -> [Configuration.VTEP] {
    var seen: [Endpoint: Int] = [:]
    return sections("vtep", of: root).compactMap { section in
      let address = value(ConfigurationSettings.address, in: section)
      let vni = value(ConfigurationSettings.vni, in: section)
      let port = value(ConfigurationSettings.port, in: section)
      if let address, origin.vtepLines[address] == nil {
        let line = section.members[ConfigurationSettings.address.key.name]?.line
        origin.vtepLines[address] = line
      }
      guard let address, let vni, let port else { return nil }
      let endpoint = Endpoint(address: address, vni: vni)
      if let first = seen[endpoint] {
        issues.add(
          line: section.line, key: "vtep",
          "\(address) with vni \(vni) is already there, in line \(first)",
          accepted: "each pair of address and vni once")
      } else {
        seen[endpoint] = section.line ?? 0
      }
      return Configuration.VTEP(address: address, vni: VirtualNetwork(bits: vni), port: port)
    }
  }

  private mutating func faults(
    of root: [String: TOMLNode], _ underlay: Section
  ) -> [PortFault] {
    var known = [PortFault.host, PortFault.containers]
    let node = underlay.members[ConfigurationSettings.interface.key.name]
    let interface = node.flatMap { ConfigurationSettings.interface.read($0).value } ?? nil
    if let interface { known.append(interface) }
    // With an unusable underlay there is a complaint already, and any name might be its.
    let isComplete = node == nil || interface != nil
    var seen: [String: Int] = [:]
    return sections("fault", of: root).compactMap { section in
      let settings = faultSettings(section)
      guard let name = value(ConfigurationSettings.faultInterface, in: section) else { return nil }
      let line = section.members[ConfigurationSettings.faultInterface.key.name]?.line
      if isComplete, !known.contains(name) {
        issues.add(
          line: line, key: ConfigurationSettings.faultInterface.key.dottedName,
          "\(Quoted.text(name)) is no port's name",
          accepted: ConfigurationSettings.faultInterface.key.accepted)
      } else if let first = seen.updateValue(line ?? 0, forKey: name) {
        issues.add(
          line: line, key: ConfigurationSettings.faultInterface.key.dottedName,
          "\(Quoted.text(name)) has faults already, from line \(first)",
          accepted: "each interface once")
      }
      return PortFault(interface: name, settings: settings)
    }
  }

  private mutating func faultSettings(_ section: Section) -> FaultSettings {
    FaultSettings(
      seed: value(ConfigurationSettings.seed, in: section) ?? 0,
      loss: value(ConfigurationSettings.loss, in: section) ?? 0,
      duplication: value(ConfigurationSettings.duplication, in: section) ?? 0,
      reordering: value(ConfigurationSettings.reordering, in: section) ?? 0,
      corruption: value(ConfigurationSettings.corruption, in: section) ?? 0,
      truncation: value(ConfigurationSettings.truncation, in: section) ?? 0)
  }

  private struct Endpoint: Hashable {
    let address: IPv4Address
    let vni: UInt32
  }
}

// MARK: - Sections

extension ConfigurationReader {
  /// A section that may stand once; empty if it is absent.
  private mutating func section(_ name: String, of root: [String: TOMLNode]) -> Section {
    guard let node = root[name] else { return Section(line: nil, members: [:]) }
    switch node.content {
    case .table(let members):
      let section = Section(line: node.line, members: members)
      reportUnknownKeys(of: section, in: name)
      return section
    case .array(let elements) where elements.contains(where: \.isTable):
      issues.add(
        line: node.line, key: name, "may stand only once", accepted: "one [\(name)] section")
    default:
      issues.add(
        line: node.line, key: name, "\(node.kind), not a section",
        accepted: "a [\(name)] section")
    }
    return Section(line: node.line, members: [:])
  }

  /// The sections of a name that may stand any number of times.
  private mutating func sections(_ name: String, of root: [String: TOMLNode]) -> [Section] {
    guard let node = root[name] else { return [] }
    let accepted = "[[\(name)]] sections"
    switch node.content {
    case .array(let elements):
      return elements.compactMap { element in
        guard case .table(let members) = element.content else {
          issues.add(
            line: element.line, key: name, "\(element.kind), not a section", accepted: accepted)
          return nil
        }
        let section = Section(line: element.line, members: members)
        reportUnknownKeys(of: section, in: name)
        return section
      }
    case .table:
      issues.add(
        line: node.line, key: name, "needs two brackets on each side", accepted: accepted)
    default:
      issues.add(
        line: node.line, key: name, "\(node.kind), not a section", accepted: accepted)
    }
    return []
  }

  private mutating func reportUnknownKeys(of section: Section, in name: String) {
    let tables = ConfigurationTable.all
    var known = tables.first { $0.name == name }?.keys.map(\.name) ?? []
    if name.isEmpty { known += tables.map(\.name).filter { !$0.isEmpty } }
    // A dictionary has no order of its own, and a message must not change from run to run.
    for (key, node) in section.members.sorted(by: { $0.key < $1.key })
    where !known.contains(key) {
      let hint = suggestion(for: key, among: known).map { "; did you mean \($0)?" } ?? ""
      let prefix = name.isEmpty ? "" : "\(name)."
      issues.add(
        line: node.line, key: prefix + Quoted.key(key), "is not a known key\(hint)",
        accepted: listed(known, "and"))
    }
  }

  /// The nearest key of the same section, or else the same key of another one.
  private func suggestion(for key: String, among known: [String]) -> String? {
    if let nearest = nearestWord(to: key, among: known) { return nearest }
    let everywhere = ConfigurationTable.all.flatMap(\.keys)
    guard let name = nearestWord(to: key, among: everywhere.map(\.name)) else { return nil }
    return everywhere.first { $0.name == name }?.dottedName
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Logging

/// Turns a parsed file into a `Configuration`, collecting every mistake on the way.
///
/// What is wrong is replaced by its default, so that the rest can still be checked; the result may
/// be used only if there are no issues.
struct ConfigurationReader {
  /// What is wrong so far.
  var issues: ConfigurationIssues

  /// A section as it was found, and where.
  private struct Section {
    let path: TOMLPath
    let members: [String: TOMLNode]
  }

  init(origin: ConfigurationOrigin) {
    issues = ConfigurationIssues(origin: origin)
  }

  mutating func configuration(from root: [String: TOMLNode]) -> Configuration {
    reportUnknownKeys(of: Section(path: [], members: root), in: "")
    let top = Section(path: [], members: root)
    let underlay = section("underlay", of: root)
    let workers = section("workers", of: root)
    let overlay = section("overlay", of: root)
    let api = section("api", of: root)
    let attachments = section("attachments", of: root)
    return Configuration(
      logLevel: value(ConfigurationSettings.logLevel, in: top) ?? .info,
      underlay: .init(
        interface: value(ConfigurationSettings.interface, in: underlay) ?? "",
        vxlanPort: value(ConfigurationSettings.vxlanPort, in: underlay) ?? 0,
        xdp: value(ConfigurationSettings.xdp, in: underlay) ?? .automatic),
      workers: .init(
        cores: value(ConfigurationSettings.cores, in: workers) ?? nil,
        idle: value(ConfigurationSettings.idle, in: workers) ?? .adaptive,
        frames: value(ConfigurationSettings.frames, in: workers) ?? 0),
      overlay: .init(mtu: value(ConfigurationSettings.mtu, in: overlay) ?? nil),
      api: .init(socket: value(ConfigurationSettings.socket, in: api) ?? ""),
      attachments: .init(
        onStop: value(ConfigurationSettings.onStop, in: attachments) ?? .remove),
      vteps: vteps(of: root), origin: origin(with: workers))
  }

  private func origin(with workers: Section) -> ConfigurationOrigin {
    var origin = issues.origin
    guard case .array(let elements) = workers.members[ConfigurationSettings.cores.key.name]
    else { return origin }
    for case (let index, .integer(let core)) in elements.enumerated()
    where origin.coreIndices[core] == nil {
      origin.coreIndices[core] = index
    }
    return origin
  }

  /// The value that `setting` has in `section`; nil only if it is missing or wrong, and reported.
  private mutating func value<Value>(
    _ setting: ConfigurationSetting<Value>, in section: Section
  ) -> Value? {
    let key = setting.key
    let path = section.path + [.key(key.name)]
    guard let node = section.members[key.name] else {
      if setting.fallback == nil {
        issues.add(
          line: issues.origin.positions.line(of: section.path), key: key.dottedName,
          "is missing", accepted: key.accepted)
      }
      return setting.fallback
    }
    let reading = setting.read(node)
    for complaint in reading.complaints {
      let place = complaint.index.map { path + [.index($0)] } ?? path
      issues.add(place, complaint.message, accepted: key.accepted)
    }
    return reading.value
  }

  private mutating func vteps(of root: [String: TOMLNode]) -> [Configuration.VTEP] {
    var seen: [Endpoint: Int] = [:]
    return sections("vtep", of: root).compactMap { section in
      let address = value(ConfigurationSettings.address, in: section)
      let vni = value(ConfigurationSettings.vni, in: section)
      let port = value(ConfigurationSettings.port, in: section)
      guard let address, let vni, let port else { return nil }
      let line = issues.origin.positions.line(of: section.path)
      let endpoint = Endpoint(address: address, vni: vni)
      if let first = seen[endpoint] {
        issues.add(
          section.path, "\(address) with vni \(vni) is already there, in line \(first)",
          accepted: "each pair of address and vni once")
      } else {
        seen[endpoint] = line ?? 0
      }
      return Configuration.VTEP(address: address, vni: VirtualNetwork(bits: vni), port: port)
    }
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
    let path: TOMLPath = [.key(name)]
    switch root[name] {
    case nil: return Section(path: [], members: [:])
    case .table(let members):
      let section = Section(path: path, members: members)
      reportUnknownKeys(of: section, in: name)
      return section
    case .array(let elements) where elements.contains(where: \.isTable):
      issues.add(path, "may stand only once", accepted: "one [\(name)] section")
    case let other?:
      issues.add(path, "\(other.kind), not a section", accepted: "a [\(name)] section")
    }
    return Section(path: path, members: [:])
  }

  /// The sections of a name that may stand any number of times.
  private mutating func sections(_ name: String, of root: [String: TOMLNode]) -> [Section] {
    let path: TOMLPath = [.key(name)]
    let accepted = "[[\(name)]] sections"
    switch root[name] {
    case nil: return []
    case .array(let elements):
      return elements.enumerated().compactMap { index, element in
        let place = path + [.index(index)]
        guard case .table(let members) = element else {
          issues.add(place, "\(element.kind), not a section", accepted: accepted)
          return nil
        }
        let section = Section(path: place, members: members)
        reportUnknownKeys(of: section, in: name)
        return section
      }
    case .table:
      issues.add(path, "needs two brackets on each side", accepted: accepted)
    case let other?:
      issues.add(path, "\(other.kind), not a section", accepted: accepted)
    }
    return []
  }

  private mutating func reportUnknownKeys(of section: Section, in name: String) {
    let tables = ConfigurationTable.all
    var known = tables.first { $0.name == name }?.keys.map(\.name) ?? []
    if name.isEmpty { known += tables.map(\.name).filter { !$0.isEmpty } }
    // A dictionary has no order of its own, and a message must not change from run to run.
    for key in section.members.keys.sorted() where !known.contains(key) {
      let hint = suggestion(for: key, among: known).map { "; did you mean \($0)?" } ?? ""
      issues.add(
        section.path + [.key(key)], "is not a known key\(hint)",
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

extension TOMLNode {
  fileprivate var isTable: Bool {
    if case .table = self { true } else { false }
  }
}

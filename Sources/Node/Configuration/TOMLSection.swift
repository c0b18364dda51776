// SPDX-License-Identifier: Apache-2.0

/// A table while its file is still being read.
///
/// TOML lets a file come back to a table in a few ways and forbids the others, so a table remembers
/// how it came to be.
final class TOMLSection {
  /// What made a table, and so what may still add to it.
  enum Origin {
    /// A longer header mentioned it; its own header may still follow.
    case implied
    /// Its own header.
    case header
    /// A dotted key; other dotted keys of the same section may add to it.
    case dottedKey
  }

  enum Member {
    case value(TOMLNode)
    case section(TOMLSection)
    /// `[[name]]`, with the line of the first; never empty.
    case repeated([TOMLSection])
  }

  let line: Int
  var origin: Origin
  var members: [String: Member] = [:]

  init(line: Int, origin: Origin) {
    self.line = line
    self.origin = origin
  }

  /// The finished table.
  var node: TOMLNode {
    TOMLNode(line: line, content: .table(members.mapValues(\.node)))
  }

  /// Where a header's keys lead on the way to its last one; nil if something is in the way.
  func entered(by key: String, line: Int) -> TOMLSection? {
    switch members[key] {
    case .section(let section): return section
    case .repeated(let sections): return sections.last
    case .value: return nil
    case nil: return addSection(key, line: line, origin: .implied)
    }
  }

  /// The table that `[key]` opens; nil if it was opened before or is something else.
  func opened(by key: String, line: Int) -> TOMLSection? {
    switch members[key] {
    case nil: return addSection(key, line: line, origin: .header)
    case .section(let section) where section.origin == .implied:
      let opened = TOMLSection(line: line, origin: .header)
      opened.members = section.members
      members[key] = .section(opened)
      return opened
    default: return nil
    }
  }

  /// The table that `[[key]]` adds; nil if the key is something else.
  func appended(to key: String, line: Int) -> TOMLSection? {
    let section = TOMLSection(line: line, origin: .header)
    switch members[key] {
    case nil: members[key] = .repeated([section])
    case .repeated(var sections):
      // Taken out first, so that the array is not copied for every element.
      members[key] = nil
      sections.append(section)
      members[key] = .repeated(sections)
    default: return nil
    }
    return section
  }

  /// Where a dotted key leads on the way to its last part; nil if something is in the way.
  func dotted(by key: String, line: Int) -> TOMLSection? {
    switch members[key] {
    case .section(let section) where section.origin == .dottedKey: section
    case nil: addSection(key, line: line, origin: .dottedKey)
    default: nil
    }
  }

  private func addSection(_ key: String, line: Int, origin: Origin) -> TOMLSection {
    let section = TOMLSection(line: line, origin: origin)
    members[key] = .section(section)
    return section
  }
}

extension TOMLSection.Member {
  var node: TOMLNode {
    switch self {
    case .value(let node): node
    case .section(let section): section.node
    case .repeated(let sections):
      TOMLNode(line: line, content: .array(sections.map(\.node)))
    }
  }

  var line: Int {
    switch self {
    case .value(let node): node.line
    case .section(let section): section.line
    case .repeated(let sections): sections.first?.line ?? 0
    }
  }
}

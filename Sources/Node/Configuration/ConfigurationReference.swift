// SPDX-License-Identifier: Apache-2.0

/// The reference of all keys, made from the key table.
package enum ConfigurationReference {
  /// For a terminal: each key with its default, the accepted values and its meaning.
  package static var text: String {
    ConfigurationTable.all.map { table in
      let header = table.name.isEmpty ? "" : "\(table.header)  \(table.meaning)\n"
      return header + table.keys.map(text(of:)).joined()
    }.joined(separator: "\n")
  }

  private static func text(of key: ConfigurationKey) -> String {
    let fallback = key.fallback.map { "default \($0)" } ?? "required"
    return "  \(key.name) (\(key.type), \(fallback), changed by \(key.takesEffect.rawValue))\n"
      + "      \(key.meaning)\n      accepted: \(key.accepted)\n"
  }

  /// The page `docs/configuration.md`.
  package static var markdown: String {
    introduction + ConfigurationTable.all.map(markdown(of:)).joined(separator: "\n")
  }

  private static func markdown(of table: ConfigurationTable) -> String {
    let title = table.name.isEmpty ? "The top of the file" : "`\(table.header)`"
    let rows = table.keys.map { key in
      let fallback = key.fallback.map { key.hasWordyFallback ? $0 : "`\($0)`" }
      return "| `\(key.name)` | \(key.type) | \(fallback ?? "required") | \(key.accepted) "
        + "| \(key.takesEffect.rawValue) | \(key.meaning) |\n"
    }
    return """
      ## \(title)

      \(table.meaning)

      | key | type | default | accepted | changed by | meaning |
      | --- | --- | --- | --- | --- | --- |
      \(rows.joined())
      """
  }

  private static let introduction = """
    # Configuration

    `weftd --config FILE` reads one TOML file. `weftd --check FILE` reads it, says everything that
    is wrong with it, and ends. The files in `configs/` are a start; a test loads each of them.

    The file is strict: a key that is not listed here, a number in quotes or a value with a unit is
    an error, not something to guess at. All mistakes are reported at once, each with its line and
    with what would have been accepted:

        two-hosts-a.toml:12: workers.cores: core 7 does not exist; accepted: 0 to 1

    Only a syntax error stands alone, as what follows it cannot be trusted. Files are text in UTF-8
    of at most 1 MiB. A key that is absent has its default; a section without keys may be left out,
    except for `[mesh]`, which by being there says that there is a mesh.

    The file is read again when `weftd` gets SIGHUP, and with it the files with passwords. Keys that
    are changed by a reload then have their new values, without a frame lost on the way; the others
    keep theirs until the next start, and the log names those that differ. If the new file has a
    mistake, nothing is changed.

    This page is generated from the key table in `Sources/Node/Configuration`; after a change there,
    `WEFT_UPDATE_DOCS=1 swift test --filter ConfigurationReferenceTests` writes it anew.


    """
}

extension ConfigurationKey {
  /// Whether the default is a description and not a value one could write.
  fileprivate var hasWordyFallback: Bool {
    guard let fallback else { return false }
    return !fallback.hasPrefix("\"") && Int(fallback) == nil && Bool(fallback) == nil
  }
}

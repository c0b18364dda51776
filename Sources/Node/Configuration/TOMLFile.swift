// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A TOML file before anybody knows what its keys mean.
///
/// What is wrong with it is told as `ConfigurationErrors`, like everything else that can be wrong
/// with a file of ours. Only the first syntax error is told, as what follows it cannot be trusted.
package enum TOMLFile {
  /// The longest file that is read, in bytes.
  package static let lengthMax = 1 << 20

  /// Reads a file and returns the members of the table that it is.
  package static func members(path: String) throws(ConfigurationErrors) -> [String: TOMLNode] {
    try members(of: try text(path), file: path)
  }

  /// Parses a file's text; `file` is its name for messages.
  package static func members(
    of text: String, file: String
  ) throws(ConfigurationErrors) -> [String: TOMLNode] {
    do {
      var parser = TOMLParser(text)
      return try parser.parse()
    } catch {
      throw ConfigurationErrors(
        file: file, line: error.line, column: error.column, message: error.message, accepted: "")
    }
  }

  /// The text of a regular file of bearable length.
  static func text(_ path: String) throws(ConfigurationErrors) -> String {
    func refusal(_ message: String, _ accepted: String) -> ConfigurationErrors {
      ConfigurationErrors(file: path, message: message, accepted: accepted)
    }
    let tooLarge = "at most \(lengthMax) bytes"
    let contents: Data
    do {
      // Attributes are those of a link itself, and mounted configurations are often links.
      let target = URL(filePath: path).resolvingSymlinksInPath().path
      let attributes = try FileManager.default.attributesOfItem(atPath: target)
      switch attributes[.type] as? FileAttributeType {
      case .typeRegular?: break
      case .typeDirectory?: throw refusal("is a folder", "the path of a file")
      default: throw refusal("is not a regular file", "the path of a regular file")
      }
      if let length = attributes[.size] as? Int, length > lengthMax {
        throw refusal("is \(length) bytes long", tooLarge)
      }
      contents = try Data(contentsOf: URL(filePath: target))
    } catch let errors as ConfigurationErrors {
      throw errors
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw refusal("does not exist", "the path of a file")
    } catch let error as CocoaError where error.code == .fileReadNoPermission {
      throw refusal("may not be read by this user", "a file that it may read")
    } catch {
      throw refusal("cannot be read: \(error)", "a readable file")
    }
    guard contents.count <= lengthMax else {
      throw refusal("is \(contents.count) bytes long", tooLarge)
    }
    guard let text = String(validating: contents, as: UTF8.self) else {
      let line = contents.prefix(validLength(contents)).count { $0 == UInt8(ascii: "\n") } + 1
      throw ConfigurationErrors(
        file: path, line: line, message: "is not text in UTF-8", accepted: "UTF-8")
    }
    return text
  }
}

/// How many bytes at the beginning are UTF-8.
private func validLength(_ bytes: Data) -> Int {
  var decoder = UTF8()
  var iterator = bytes.makeIterator()
  var length = 0
  while case .scalarValue(let scalar) = decoder.decode(&iterator) {
    length += UTF8.width(scalar)
  }
  return length
}

extension ConfigurationErrors {
  /// A single issue that concerns no key.
  fileprivate init(
    file: String, line: Int? = nil, column: Int? = nil, message: String, accepted: String
  ) {
    self.init(issues: [
      ConfigurationIssue(
        file: file, line: line, column: column, key: "", message: message, accepted: accepted)
    ])
  }
}

// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Sealing

/// Where the secret of the mesh comes from: never from the command line, which everybody can read.
enum MeshPassword {
  /// Bytes of the longest one.
  static let lengthMax = 1024
  /// Where the environment may have it; the first that is not empty counts.
  static let variables = ["WEFT_PASSWORD", "WEAVE_PASSWORD"]

  /// The secret in `file` if one is named, else the one in `environment`; no value and no
  /// complaint if there is none.
  ///
  /// One line break at the end of a file does not belong to it. What a file has is in the secret
  /// alone; what the environment has stays in this process's memory besides.
  static func read(
    file: String?, environment: [String: String]
  ) -> ConfigurationReading<Password> {
    if let file { return read(file) }
    let text = variables.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    return ConfigurationReading(value: text.map { Password(Array($0.utf8)) })
  }

  private static func read(_ path: String) -> ConfigurationReading<Password> {
    let name = Quoted.text(path)
    do {
      // Attributes are those of a link itself, and mounted secrets are often links.
      let target = URL(filePath: path).resolvingSymlinksInPath().path
      let attributes = try FileManager.default.attributesOfItem(atPath: target)
      if let problem = problem(attributes, path) { return .bad("\(name) \(problem)") }
      return .good(try Password(file: target, lengthMax: lengthMax))
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      return .bad("\(name) does not exist")
    } catch let error as CocoaError where error.code == .fileReadNoPermission {
      return .bad("\(name) may not be read by this user")
    } catch let problem as Password.FileProblem {
      return .bad("\(name) \(text(problem))")
    } catch {
      return .bad("\(name) cannot be read")
    }
  }

  private static func text(_ problem: Password.FileProblem) -> String {
    switch problem {
    case .missing: "does not exist"
    case .forbidden: "may not be read by this user"
    case .unreadable: "cannot be read"
    case .length(0): "is empty"
    case .length(let length): "is \(length) bytes long"
    }
  }

  private static func problem(_ attributes: [FileAttributeKey: Any], _ path: String) -> String? {
    switch attributes[.type] as? FileAttributeType {
    case .typeRegular?: break
    case .typeDirectory?: return "is a folder"
    default: return "is not a regular file"
    }
    guard let mode = attributes[.posixPermissions] as? Int, let length = attributes[.size] as? Int
    else { return "cannot be examined" }
    if mode & 0o077 != 0 {
      let octal = String(mode & 0o7777, radix: 8)
      return "may be read by others than its owner, its mode is \(octal); run"
        + " `chmod 600 \(Quoted.plain(path))`"
    }
    // Files of the kernel have no length, and some of them make a reader wait.
    if length == 0 { return "is empty" }
    return length > lengthMax + 2 ? "is \(length) bytes long" : nil
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file of the repository.
struct RepositoryFile: Sendable {
  /// Relative to the top of the repository.
  let path: String
  /// In bytes.
  let length: Int
  let isExecutable: Bool
  /// Nil if it is not text in UTF-8.
  let text: String?

  var name: String { String(path.split(separator: "/").last ?? "") }

  /// What follows the last dot of the name; empty if there is none.
  var suffix: String { name.split(separator: ".").dropFirst().last.map(String.init) ?? "" }

  /// The folders on the way to it.
  var folders: [String] { path.split(separator: "/").dropLast().map(String.init) }

  /// The module it belongs to, if it is in `Sources`.
  var module: String? { folders.first == "Sources" && folders.count > 1 ? folders[1] : nil }

  var isTest: Bool { folders.first == "Tests" }

  var isSwift: Bool { suffix == "swift" }

  /// Cut at newlines only; as characters, a newline with a carriage return would be another one.
  var lines: [Substring] {
    let scalars = text?.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    return scalars?.map(Substring.init) ?? []
  }

  /// A file made up in a test of the rules.
  init(_ path: String, _ text: String, length: Int? = nil, isExecutable: Bool = false) {
    self.path = path
    self.text = text
    self.length = length ?? text.utf8.count
    self.isExecutable = isExecutable
  }

  init(_ path: String, below root: URL) throws {
    let url = root.appending(path: path)
    let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
    let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    let contents = try Data(contentsOf: url)
    self.path = path
    length = contents.count
    isExecutable = mode & 0o111 != 0
    text = String(validating: contents, as: UTF8.self)
  }
}

/// The checkout that these tests were built from.
enum Repository {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Every file that belongs to it, by path.
  static let files: [RepositoryFile] = {
    do {
      return try paths().sorted().map { try RepositoryFile($0, below: root) }
    } catch {
      return []
    }
  }()

  /// Those that are ours to keep tidy line by line: not the licence, whose text is given, and not
  /// what is fed to parsers to see them cope.
  static var ownText: [RepositoryFile] {
    files.filter {
      $0.text != nil && $0.path != "LICENSE" && !$0.path.hasPrefix("Tests/Fuzz/Corpora/")
    }
  }

  static var swift: [RepositoryFile] { files.filter(\.isSwift) }

  /// What git tracks or would add; in an archive without git, everything but what builds leave.
  private static func paths() throws -> [String] {
    let listed = try? git(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    if let listed, !listed.isEmpty {
      let paths = Set(listed.split(separator: "\0").map(String.init))
      return paths.filter { FileManager.default.fileExists(atPath: root.appending(path: $0).path) }
    }
    let all = try FileManager.default.subpathsOfDirectory(atPath: root.path)
    return all.filter { path in
      let isOurs = !path.hasPrefix(".git/") && !path.hasPrefix(".build")
      let attributes = try? FileManager.default.attributesOfItem(
        atPath: root.appending(path: path).path)
      return isOurs && attributes?[.type] as? FileAttributeType == .typeRegular
    }
  }

  /// What git tracks; nil outside a git checkout.
  static func tracked() -> [String]? {
    guard let listed = try? git(["ls-files", "-z", "--cached"]), !listed.isEmpty else { return nil }
    return listed.split(separator: "\0").map(String.init)
  }

  private static func git(_ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // A checkout of another user's is read all the same; nothing in it is run.
    process.arguments = ["git", "-c", "safe.directory=*", "-C", root.path] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : ""
  }
}

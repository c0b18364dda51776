// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Node

@Suite struct ConfigurationLoadingTests {
  @Test func syntaxErrorHasItsLineAndColumnAndStandsAlone() {
    #expect(
      mistakes(in: "log_level = \"loud\"\n[underlay\n") == [
        "x.toml:2:10: \"]\" must stand here to close the section's name, not the end of the line"
      ])
  }

  @Test func escapedNULsDoNotShortenWhatHoldsThem() {
    let found = mistakes(in: "[underlay]\ninterface = \"eth0\\u0000x\"")
    #expect(found.first?.hasPrefix("x.toml:2: underlay.interface: \"eth0\\0x\" holds a") == true)
    #expect(mistakes(in: "[underlay]\n\"interface\\u0000\" = \"eth0\"").count == 1)
  }

  @Test func unreadableFilesAreExplained() throws {
    try withTemporaryFolder { folder in
      #expect(loading("\(folder)/none.toml") == "does not exist; accepted: the path of a file")
      #expect(loading(folder) == "is a folder; accepted: the path of a file")
      #expect(
        loading("/dev/null") == "is not a regular file; accepted: the path of a regular file")
      let large = try write(Data(repeating: 35, count: 1_048_577), "large.toml", in: folder)
      #expect(loading(large) == "is 1048577 bytes long; accepted: at most 1048576 bytes")
      let latin = try write(Data("a = 1\nb = \"".utf8) + [0xE9, 0x22], "latin.toml", in: folder)
      #expect(loading(latin, line: 2) == "is not text in UTF-8; accepted: UTF-8")
    }
  }

  @Test func fileWithoutReadPermissionIsExplained() {
    // The kernel refuses to read this one even for root.
    #expect(
      loading("/proc/sys/net/ipv4/route/flush")
        == "may not be read by this user; accepted: a file that it may read")
  }

  @Test func linksAreFollowedAndTheFileKeepsTheNameItWasGiven() throws {
    try withTemporaryFolder { folder in
      _ = try write(Data("x = 1\ny = 2".utf8), "real.toml", in: folder)
      let link = "\(folder)/link.toml"
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: "real.toml")
      let errors = #expect(throws: ConfigurationErrors.self) {
        _ = try Configuration.load(path: link)
      }
      #expect(errors?.issues.map(\.file) == [link, link])
    }
  }

  @Test func theLargestFileIsRead() throws {
    try withTemporaryFolder { folder in
      let text = completeFile + String(repeating: "#", count: 1_048_576 - completeFile.utf8.count)
      let path = try write(Data(text.utf8), "largest.toml", in: folder)
      #expect(
        try Configuration.load(path: path)
          == Configuration.parse(text: completeFile, file: "x.toml"))
    }
  }

  @Test func byteOrderMarkAndCarriageReturnsAreNotMinded() throws {
    let text = "\u{FEFF}" + completeFile.replacing("\n", with: "\r\n")
    #expect(
      try Configuration.parse(text: text, file: "x.toml")
        == Configuration.parse(text: completeFile, file: "x.toml"))
    #expect(mistakes(in: text + "x = 1\r\n").first?.hasPrefix("x.toml:59: fault.x: ") == true)
  }
}

/// What is said about a file that cannot be read, without its name; nil if it can.
private func loading(_ path: String, line: Int? = nil) -> String? {
  do throws(ConfigurationErrors) {
    _ = try Configuration.load(path: path)
    return nil
  } catch {
    let prefix = path + (line.map { ":\($0)" } ?? "") + ": "
    guard error.description.hasPrefix(prefix) else { return error.description }
    return String(error.description.dropFirst(prefix.count))
  }
}

private func write(_ contents: Data, _ name: String, in folder: String) throws -> String {
  let path = "\(folder)/\(name)"
  try contents.write(to: URL(filePath: path))
  return path
}

private func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "weft-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

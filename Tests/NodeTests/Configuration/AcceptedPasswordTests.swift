// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import Sealing
import Testing

@testable import Node

/// Passwords that others may have for a time, and the change from one to another.
@Suite struct AcceptedPasswordTests {
  /// A folder with a configuration and passwords.
  private struct Folder {
    let url: URL

    func path(_ name: String) -> String { url.appending(path: name).path }

    func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
      try Data(text.utf8).write(to: url.appending(path: name))
      try FileManager.default.setAttributes(
        [.posixPermissions: mode], ofItemAtPath: path(name))
    }

    /// Loads a file whose `[mesh]` has our own password from `own` and these accepted.
    func load(
      own: String?, accepted: [String], environment: [String: String] = [:]
    ) throws(ConfigurationErrors) -> Configuration {
      let mine = own.map { "password_file = \"\(path($0))\"\n" } ?? ""
      let others = accepted.map { "\"\(path($0))\"" }.joined(separator: ",\n")
      let text =
        "[underlay]\ninterface = \"eth0\"\n[mesh]\n\(mine)"
        + "accepted_password_files = [\n\(others)]\n"
      do { try write("x.toml", text) } catch { Issue.record(error) }
      let machine = MachineFacts(cores: [0], interfaces: ["eth0"])
      return try Configuration.load(
        path: path("x.toml"), against: machine, environment: environment)
    }

    /// What is wrong with such a file: the line and the message of each mistake.
    func mistakes(
      own: String?, accepted: [String], environment: [String: String] = [:]
    ) -> [String] {
      do throws(ConfigurationErrors) {
        _ = try load(own: own, accepted: accepted, environment: environment)
        return []
      } catch {
        return error.issues.map {
          "\($0.line ?? 0) \($0.key): \($0.message.replacing(url.path, with: ""))"
        }
      }
    }
  }

  private func withFolder(_ body: (Folder) throws -> Void) throws {
    // A short one: messages show no more than the beginning of a long path.
    let number = String(UInt32.random(in: 0 ... .max), radix: 36)
    let url = URL(filePath: "/tmp/weft-\(number)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    let folder = Folder(url: url)
    for name in ["one", "two", "three"] { try folder.write(name, "\(name)\n") }
    try body(folder)
  }

  private func password(_ text: String) -> Password { Password(Array(text.utf8)) }

  @Test func theyReachTheControlPlaneInTheirOrder() throws {
    try withFolder { folder in
      let loaded = try folder.load(own: "one", accepted: ["three", "two"])
      let options = try #require(loaded.meshOptions(hostName: "h"))
      #expect(options.password == password("one"))
      #expect(options.acceptedPasswords == [password("three"), password("two")])
      let other = try folder.load(
        own: nil, accepted: ["two"], environment: ["WEAVE_PASSWORD": "one"])
      #expect(other.meshOptions(hostName: "h")?.password == password("one"))
      #expect(other.meshOptions(hostName: "h")?.acceptedPasswords == [password("two")])
    }
  }

  @Test func eachIsCheckedLikeOurOwnAndAllMistakesAreTold() throws {
    try withFolder { folder in
      try folder.write("open", "x", mode: 0o640)
      try folder.write("empty", "\n")
      let found = folder.mistakes(own: "absent", accepted: ["open", "empty", "none"])
      let key = "mesh.accepted_password_files"
      #expect(found.count == 4, "\(found)")
      #expect(found.first == "4 mesh.password_file: \"/absent\" does not exist")
      #expect(found.dropFirst().first?.hasPrefix("6 \(key): \"/open\" may be read by") == true)
      #expect(
        found.suffix(2) == [
          "7 \(key): \"/empty\" is empty", "8 \(key): \"/none\" does not exist",
        ])
    }
  }

  @Test func ourOwnIsNoneOfTheOthers() throws {
    try withFolder { folder in
      let key = "mesh.accepted_password_files"
      #expect(
        folder.mistakes(own: "one", accepted: ["two", "one"]) == [
          "7 \(key): \"/one\" is mesh.password_file already"
        ])
      try folder.write("copy", "one\r\n")
      #expect(
        folder.mistakes(own: "one", accepted: ["copy"]) == [
          "6 \(key): \"/copy\" has the same password as our own"
        ])
      #expect(
        folder.mistakes(own: "two", accepted: ["one", "copy"]) == [
          "7 \(key): \"/copy\" has the same password as \"/one\""
        ])
      #expect(
        folder.mistakes(own: nil, accepted: ["one"], environment: ["WEFT_PASSWORD": "one"]) == [
          "5 \(key): \"/one\" has the same password as our own"
        ])
    }
  }

  @Test func withoutOneOfOurOwnThereIsNothingToAccept() throws {
    try withFolder { folder in
      #expect(
        folder.mistakes(own: nil, accepted: ["one"]) == [
          "4 mesh.accepted_password_files: there is no password of our own, and nothing is "
            + "encrypted"
        ])
      #expect(folder.mistakes(own: nil, accepted: []).isEmpty)
    }
  }

  // MARK: Reloading

  @Test func aChangeFromHostToHostIsTakenOverInItsSteps() throws {
    try withFolder { folder in
      var running = try folder.load(own: "one", accepted: [])
      let steps: [(own: String, accepted: [String], taken: [String])] = [
        ("one", ["two"], ["mesh.accepted_password_files"]),
        ("two", ["one"], ["mesh.password_file", "mesh.accepted_password_files"]),
        ("two", [], ["mesh.accepted_password_files"]), ("two", [], []),
      ]
      for step in steps {
        let file = try folder.load(own: step.own, accepted: step.accepted)
        #expect(running.adopt(file) == ConfigurationChanges(taken: step.taken))
        let options = try #require(running.meshOptions(hostName: "h"))
        #expect(options.password == password(step.own))
        #expect(options.acceptedPasswords == step.accepted.map { password($0) })
      }
    }
  }

  @Test func otherContentsOfTheSameFilesAreAChange() throws {
    try withFolder { folder in
      var running = try folder.load(own: "one", accepted: ["two"])
      try folder.write("one", "another\n")
      #expect(
        running.adopt(try folder.load(own: "one", accepted: ["two"]))
          == ConfigurationChanges(taken: ["mesh.password_file"]))
      #expect(running.mesh.password == password("another"))
      try folder.write("two", "one more\n")
      #expect(
        running.adopt(try folder.load(own: "one", accepted: ["two"]))
          == ConfigurationChanges(taken: ["mesh.accepted_password_files"]))
      #expect(running.mesh.acceptedPasswords == [password("one more")])
      #expect(
        running.adopt(try folder.load(own: "one", accepted: ["two"])) == ConfigurationChanges())
    }
  }

  @Test func encryptionIsTurnedOnAndOffOnlyByARestart() throws {
    try withFolder { folder in
      let with = try folder.load(own: "one", accepted: ["two"])
      let without = try folder.load(own: nil, accepted: [])
      let keys = ["mesh.password_file", "mesh.accepted_password_files"]
      for (before, after) in [(with, without), (without, with)] {
        var running = before
        for _ in 0..<2 { #expect(running.adopt(after) == ConfigurationChanges(waiting: keys)) }
        #expect(running == before && running.mesh.password == before.mesh.password)
        #expect(running.mesh.acceptedPasswords == before.mesh.acceptedPasswords)
      }
      // From a file to the environment is no such change.
      var running = try folder.load(own: "one", accepted: [])
      let environment = ["WEFT_PASSWORD": "one"]
      let file = try folder.load(own: nil, accepted: [], environment: environment)
      #expect(running.adopt(file) == ConfigurationChanges(taken: ["mesh.password_file"]))
      #expect(running.mesh.password == password("one"))
    }
  }

  @Test func nothingThatIsToldHasThem() throws {
    try withFolder { folder in
      try folder.write("secret", "correct horse")
      try folder.write("again", "correct horse\n")
      let loaded = try folder.load(own: "secret", accepted: ["one"])
      var text = "\(loaded) \(String(describing: loaded.meshOptions(hostName: "h")))"
      dump(loaded, to: &text)
      text += folder.mistakes(own: "secret", accepted: ["again"]).joined()
      #expect(text.contains("has the same password as our own"))
      #expect(!text.contains("horse"))
    }
  }
}

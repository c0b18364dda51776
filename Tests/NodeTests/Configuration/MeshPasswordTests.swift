// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import HostNetwork
import Inet
import Sealing
import Testing

@testable import Node

/// Where the secrets of `[mesh]` come from, and what becomes of other ones.
@Suite struct MeshPasswordTests {
  private let bare = "[underlay]\ninterface = \"eth0\"\n"
  private let machine = MachineFacts(
    cores: [0], interfaces: ["eth0"], addresses: ["eth0": [IPv4Address(bits: 0xC000_0201)]])

  @Test(arguments: [
    "secret", "secret\n", "secret\r\n", " \n\n", String(repeating: "x", count: 1024),
  ])
  func aPasswordIsReadFromItsFile(_ contents: String) throws {
    try withFile(Data(contents.utf8), mode: 0o600) { path in
      let reading = MeshPassword.read(file: path, environment: [:])
      #expect(reading.value != nil && reading.complaints.isEmpty)
    }
  }

  @Test(
    arguments: [
      ("", 0o600, "is empty"), ("\n", 0o600, "is empty"), ("\r\n", 0o600, "is empty"),
      ("s", 0o644, "may be read by others than its owner, its mode is 644; run `chmod 600 "),
      ("s", 0o640, "its mode is 640"), ("s", 0o602, "its mode is 602"),
      (String(repeating: "x", count: 1025), 0o600, "is 1025 bytes long"),
      (String(repeating: "x", count: 5000), 0o600, "is 5000 bytes long"),
    ] as [(String, Int, String)])
  func aFileThatIsNoGoodSecretIsRefused(_ contents: String, mode: Int, problem: String) throws {
    try withFile(Data(contents.utf8), mode: mode) { path in
      let reading = MeshPassword.read(file: path, environment: ["WEFT_PASSWORD": "other"])
      #expect(reading.value == nil)
      #expect(reading.complaints.count == 1, "\(reading)")
      #expect(reading.complaints.first?.message.contains(problem) == true, "\(reading)")
    }
  }

  @Test func whatIsNoFileIsNotRead() throws {
    for (path, problem) in [
      ("/dev/zero", "is not a regular file"), ("/dev", "is a folder"),
      ("/nonexistent/x", "does not exist"),
    ] {
      let reading = MeshPassword.read(file: path, environment: [:])
      #expect(
        reading.value == nil && reading.complaints.map(\.message) == ["\"\(path)\" \(problem)"])
    }
  }

  @Test func theEnvironmentIsAskedWithoutAFile() {
    let none = MeshPassword.read(file: nil, environment: ["WEFT_PASSWORD": "", "OTHER": "x"])
    #expect(none.value == nil && none.complaints.isEmpty)
    for name in MeshPassword.variables {
      #expect(MeshPassword.read(file: nil, environment: [name: "secret"]).value != nil)
    }
    let both = MeshPassword.read(
      file: nil, environment: ["WEFT_PASSWORD": "", "WEAVE_PASSWORD": "secret"])
    #expect(both.value != nil)
  }

  @Test func aSecretIsReadOnlyForAMeshOnThisMachine() throws {
    try withFile(Data((bare + "[mesh]\n").utf8), mode: 0o644) { path in
      let environment = ["WEAVE_PASSWORD": "secret"]
      let loaded = try Configuration.load(
        path: path, against: machine, environment: environment)
      #expect(loaded.mesh.password != nil)
      #expect(loaded.meshOptions(hostName: "h")?.password != nil)
      #expect(try Configuration.load(path: path, environment: environment).mesh.password == nil)
    }
    try withFile(Data(bare.utf8), mode: 0o644) { path in
      let loaded = try Configuration.load(
        path: path, against: machine, environment: ["WEFT_PASSWORD": "x"])
      #expect(loaded.mesh.password == nil)
    }
  }

  @Test func aMissingSecretIsToldWithEverythingElse() throws {
    let text = bare + "[mesh]\npassword_file = \"/nonexistent/x\"\nport = 0\n"
    try withFile(Data(text.utf8), mode: 0o644) { path in
      let errors = #expect(throws: ConfigurationErrors.self) {
        _ = try Configuration.load(path: path, against: machine)
      }
      #expect(errors?.issues.map(\.line) == [4, 5])
      #expect(errors?.issues.map(\.key) == ["mesh.password_file", "mesh.port"])
      #expect(errors?.issues.first?.message == "\"/nonexistent/x\" does not exist")
    }
  }
}

private func withFile(_ contents: Data, mode: Int, _ body: (String) throws -> Void) throws {
  let file = FileManager.default.temporaryDirectory.appending(path: "weft-\(UUID())")
  try contents.write(to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
  try body(file.path)
}

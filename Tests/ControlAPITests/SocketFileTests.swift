// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Testing

@testable import ControlAPI

@Suite struct SocketFileTests {
  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  private func files(_ directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
  }

  @Test func theSocketIsOursAloneAndTheDirectoryIsMade() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/a/b/weft.sock"
      try await RunningServer.run(at: path) { server in
        #expect(try mode(path) == 0o600)
        #expect(try mode("\(directory)/a/b") == 0o755)
        _ = try await server.client.status()
      }
      #expect(try files("\(directory)/a/b") == [])
    }
  }

  @Test func stoppingRemovesTheSocketAndNothingElse() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/weft.sock"
      try "x".write(toFile: "\(directory)/other", atomically: false, encoding: .utf8)
      try await RunningServer.run(at: path) { _ in
        let visible = try files(directory).filter { !$0.hasPrefix(".") }
        #expect(visible == ["other", "weft.sock"])
      }
      #expect(try files(directory) == ["other"])
      await #expect(throws: ControlClientError.notRunning(path: path)) {
        try await ControlClient(socketPath: path).status()
      }
    }
  }

  @Test func cancellingRemovesTheSocketToo() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/weft.sock"
      let (running, announce) = AsyncStream<Void>.makeStream()
      let task = Task {
        let server = ControlServer(FakeControlService(), socketPath: path, logger: .silent) {
          announce.yield()
        }
        try await server.run()
      }
      for await _ in running { break }
      let during = try files(directory)
      task.cancel()
      _ = await task.result
      let after = try files(directory)
      #expect(during.contains("weft.sock"))
      #expect(after == [])
    }
  }

  @Test func aSocketThatNobodyAnswersIsReplaced() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/weft.sock"
      do { _ = RawConnection(path: path, listening: true) }
      #expect(try files(directory) == ["weft.sock"], "a killed daemon leaves its file behind")
      await #expect(throws: ControlClientError.notRunning(path: path)) {
        try await ControlClient(socketPath: path).status()
      }
      try await RunningServer.run(at: path) { server in
        _ = try await server.client.status()
        #expect(try mode(path) == 0o600)
      }
    }
  }

  @Test func aSocketThatADaemonAnswersIsLeftAlone() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/weft.sock"
      try await RunningServer.run(at: path) { first in
        await #expect(throws: ControlServerError.anotherServer(path)) {
          try await ControlServer(
            FakeControlService(), socketPath: path, logger: .silent
          ).run()
        }
        await #expect(throws: ControlServerError.anotherServer(path)) {
          try await ControlServer(
            FakeControlService(), socketPath: path, logger: .silent
          ).prepare()
        }
        _ = try await first.client.status()
      }
    }
    let text = "\(ControlServerError.anotherServer("/run/weft/weft.sock"))"
    #expect(text.hasPrefix("another weftd answers on /run/weft/weft.sock"))
  }

  @Test func aSocketThatListensButSaysNothingCountsAsAnswered() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/weft.sock"
      let silent = RawConnection(path: path, listening: true)
      await #expect(throws: ControlServerError.anotherServer(path)) {
        try await SocketFile(path: path).prepare()
      }
      let isListening = silent != nil
      #expect(isListening)
    }
  }

  @Test func aSuccessorsSocketSurvivesThePredecessorsEnd() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/weft.sock"
      let successor = try await RunningServer.run(at: path) { _ in
        try FileManager.default.removeItem(atPath: path)
        try "x".write(toFile: path, atomically: false, encoding: .utf8)
        return true
      }
      #expect(successor)
      #expect(try files(directory) == ["weft.sock"])
    }
  }

  @Test func otherFilesAreNeverReplaced() async throws {
    try await TemporaryDirectory.with { directory in
      let path = "\(directory)/weft.sock"
      try "x".write(toFile: path, atomically: false, encoding: .utf8)
      await #expect(throws: ControlServerError.notASocket(path)) {
        try await SocketFile(path: path).prepare()
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "x")
      let link = "\(directory)/link"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
      await #expect(throws: ControlServerError.notASocket(link)) {
        try await SocketFile(path: link).prepare()
      }
      let below = "\(path)/weft.sock"
      await #expect(throws: ControlServerError.self) {
        try await RunningServer.run(at: below) { _ in }
      }
    }
  }

  @Test(arguments: [
    "", "weft.sock", "/", "/run/", "/a\0b",
    "/" + String(repeating: "a", count: SocketFile.pathLengthMax),
  ])
  func unusablePathsAreNamed(path: String) async throws {
    await #expect(throws: ControlServerError.unusablePath(path)) {
      try await SocketFile(path: path).prepare()
    }
  }

  @Test func theLongestPathWorks() async throws {
    try await TemporaryDirectory.with { directory in
      let name = String(repeating: "a", count: SocketFile.pathLengthMax - directory.utf8.count - 1)
      try await RunningServer.run(at: "\(directory)/\(name)") { server in
        _ = try await server.client.status()
      }
      try await RunningServer.run(at: "\(directory)/with %2F space?#") { server in
        _ = try await server.client.status()
      }
      let tooLong = "\(directory)/\(name)a"
      await #expect(throws: ControlClientError.unusablePath(tooLong)) {
        try await ControlClient(socketPath: tooLong).status()
      }
    }
  }

  @Test func everyErrorIsOneSentenceWithAWayOut() {
    for error in [
      ControlServerError.anotherServer("/s"), .unusablePath("s"), .notASocket("/s"),
      .fileSystem("the directory /s cannot be made", "permission denied"),
    ] {
      #expect("\(error)".contains(":") && !"\(error)".contains("\n"))
    }
    for error in [
      ControlClientError.notRunning(path: "/s"), .permissionDenied(path: "/s"),
      .timedOut(path: "/s", seconds: 30), .unusablePath("s"), .broken(path: "/s", reason: "r"),
      .refused(status: 400, ErrorReport(error: "e", accepted: "a")),
    ] {
      #expect(!"\(error)".contains("\n") && !"\(error)".hasSuffix("."))
    }
    #expect(
      "\(ControlClientError.notRunning(path: "/s"))"
        == "weftd does not answer on /s: is it running? give --socket or WEFT_SOCKET")
  }
}

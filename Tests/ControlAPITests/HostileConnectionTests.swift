// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import NIOCore
import Testing

@testable import ControlAPI

/// Whatever is written on the socket, the next client is served.
@Suite struct HostileConnectionTests {
  private static let good =
    "POST /attachments HTTP/1.1\r\nHost: weft\r\nContent-Type: application/json\r\n"
    + "Content-Length: 44\r\nConnection: close\r\n\r\n"
    + #"{"pid":1,"addresses":["10.32.0.1/12"],"x":7}"#

  /// Each on a connection of its own, the next only after the server has had its say.
  private func survives(_ inputs: [[UInt8]]) async throws {
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(at: "\(directory)/weft.sock") { server in
        for input in inputs {
          let answer = await RawConnection.exchange(input, path: server.path)
          #expect(answer != nil, "the server refuses connections")
        }
        let status = try await server.client.status()
        #expect(status == Samples.status)
      }
    }
  }

  @Test func theUntouchedRequestIsAnswered() async throws {
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(at: "\(directory)/weft.sock") { server in
        let bytes = await RawConnection.exchange(Array(Self.good.utf8), path: server.path) ?? []
        let answer = String(decoding: bytes, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 400"))
        #expect(answer.contains("there is no field 'x'"))
      }
    }
  }

  @Test func everyTruncationOfARequestIsSurvived() async throws {
    let bytes = Array(Self.good.utf8)
    try await survives((0...bytes.count).map { Array(bytes[..<$0]) })
  }

  @Test(arguments: [UInt64.random(in: 0...UInt64.max), 1, 2])
  func randomBytesAreSurvived(seed: UInt64) async throws {
    var random = SplitMix(state: seed)
    let inputs = (0..<60).map { _ in
      (0..<Int.random(in: 0...3000, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
    }
    do {
      try await survives(inputs)
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
  }

  @Test(arguments: [UInt64.random(in: 0...UInt64.max), 3, 4])
  func damagedRequestsAreSurvived(seed: UInt64) async throws {
    var random = SplitMix(state: seed)
    let inputs = (0..<100).map { _ in
      var bytes = Array(Self.good.utf8)
      for _ in 0...Int.random(in: 0...4, using: &random) {
        let index = bytes.indices.randomElement(using: &random) ?? 0
        bytes[index] = UInt8.random(in: 0...255, using: &random)
      }
      return bytes
    }
    do {
      try await survives(inputs)
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
  }

  @Test func abuseOfTheProtocolIsSurvived() async throws {
    let manyFields = (0..<5000).map { "X-\($0): y\r\n" }.joined()
    try await survives(
      [
        "GET /status HTTP/1.1\r\n\(manyFields)\r\n",
        "GET /status HTTP/1.1\r\nX: \(String(repeating: "y", count: 200_000))\r\n\r\n",
        "GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\n\r\n",
        "POST /attachments HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n{}",
        "POST /attachments HTTP/1.1\r\nContent-Length: -1\r\n\r\n{}",
        "POST /attachments HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n\r\n{}",
        "POST /attachments HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}",
        "POST /attachments HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        "GET /status HTTP/9.9\r\n\r\n", "GET /status\r\n\r\n", "WEFT /status HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /status HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        String(repeating: "GET /status HTTP/1.1\r\n\r\n", count: 200),
        "POST /attachments HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
      ].map { Array($0.utf8) })
  }

  @Test(arguments: [100, ControlServer.connectionCountMax + 20])
  func silentConnectionsDoNotKeepOthersOutForLong(count: Int) async throws {
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(at: "\(directory)/weft.sock", idleTimeout: .seconds(1)) {
        server in
        try await Self.holding(count, of: server.path, saying: "POST /attachments HTTP/1.1\r\nCon")
        {
          let status = try await server.client.status()
          #expect(status == Samples.status)
        }
      }
    }
  }

  @Test func aStalledBodyDelaysTheStopNoLongerThanTheIdleTimeout() async throws {
    try await TemporaryDirectory.with { directory in
      let clock = ContinuousClock()
      let path = "\(directory)/weft.sock"
      let half = "POST /attachments HTTP/1.1\r\nHost: weft\r\nContent-Length: 44\r\n\r\n{"
      try await Self.stopping(at: path, whileSaying: half, clock)
    }
  }

  /// The connection outlives the server, so that only the server can end it.
  private static func stopping(
    at path: String, whileSaying text: String, _ clock: ContinuousClock
  ) async throws {
    let (stopped, announce) = AsyncStream<Void>.makeStream()
    let start = clock.now
    async let served: Void = RunningServer.run(at: path, idleTimeout: .seconds(1)) { server in
      Task {
        try? await holding(1, of: path, saying: text) { for await _ in stopped { break } }
      }
      try await Task.sleep(for: .milliseconds(300))
      _ = try await server.client.status()
    }
    try await served
    announce.finish()
    #expect(clock.now - start < .seconds(60), "started a stop that a silent client held up")
  }

  /// Opens connections one inside the other, as a noncopyable one cannot be put in an array.
  private static func holding(
    _ count: Int, of path: String, saying text: String, _ body: () async throws -> Void
  ) async throws {
    guard count > 0 else { return try await body() }
    let connection = RawConnection(path: path)
    connection?.send(Array(text.utf8))
    try await holding(count - 1, of: path, saying: text, body)
    connection?.finish()
  }
}

/// A small generator whose whole state is its seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

@Suite struct AttachmentRecordTests {
  private static let text =
    "weft1 if=ethwe mac=02:00:00:00:00:0a ns=4026532345 ip=10.32.0.1/12,10.40.0.1/16 "
    + "path=/run/netns/c1"

  private func record(
    _ addresses: [String] = ["10.32.0.1/12", "10.40.0.1/16"], path: String = "/run/netns/c1"
  ) throws -> AttachmentRecord {
    AttachmentRecord(
      containerInterface: "ethwe", mac: try mac("02:00:00:00:00:0a"),
      addresses: try addresses.map { try prefix($0) }, namespaceInode: 4_026_532_345,
      namespacePath: path)
  }

  @Test func recordIsWrittenAsDocumented() throws {
    #expect(try record().encoded() == Self.text)
    #expect(try AttachmentRecord(decoding: Self.text) == record())
  }

  @Test(arguments: [
    "/run/netns/with space", "/a%20b", "/new\nline", "/ümlaut", "/\u{7F}", "/", "/\u{311}x",
  ])
  func anyPathComesBackAsItWas(path: String) throws {
    let original = try record([], path: path)
    let text = try original.encoded()
    #expect(text.utf8.allSatisfy { 0x20...0x7E ~= $0 })
    #expect(try AttachmentRecord(decoding: text) == original)
  }

  @Test func recordThatDoesNotFitNamesTheLimit() throws {
    let addresses = (1...12).map { "10.100.100.\($0)/24" }
    let error = HostNetworkError.aliasTooLong(length: 267, limit: 255)
    #expect(throws: error) { try record(addresses).encoded() }
    #expect(error.description.contains("255"))
    let fitting = try record([], path: "/" + String(repeating: "x", count: 194))
    #expect(try fitting.encoded().utf8.count == 255)
  }

  @Test(arguments: ["", "uplink", "weft", "wefty thing", "Weft1 if=ethwe"])
  func foreignTextIsForeign(alias: String) {
    #expect(throws: AttachmentRecord.DecodingError.foreign) {
      _ = try AttachmentRecord(decoding: alias)
    }
  }

  @Test func laterVersionIsNamed() {
    #expect(throws: AttachmentRecord.DecodingError.unknownVersion("2")) {
      _ = try AttachmentRecord(decoding: "weft2 whatever")
    }
  }

  @Test(arguments: [
    ("if=ethwe", "if="), ("if=ethwe", "if=all"), ("if=ethwe", "if=%6Fthwe"),
    ("mac=02:00:00:00:00:0a", "mac=02:00:00:00:00:0A"), ("mac=02", "mac=03"),
    ("ns=4026532345", "ns=04026532345"), ("ns=4026532345", "ns=-1"), ("ns=4026532345", "ns=x"),
    ("ip=10.32.0.1/12,", "ip=10.32.0.1/12,,"), ("10.32.0.1/12", "10.32.0.1"),
    ("10.32.0.1/12", "224.0.0.1/12"), ("path=/run", "path=run"), ("path=/run", "path=/%zz"),
    ("path=/run", "path=/%FF"), ("path=/run", "path=/a b"), (" mac", "  mac"), ("c1", "c1 "),
    ("c1", "c%"), ("if=", "mac="),
  ])
  func everyOtherSpellingIsDamaged(part: String, replacement: String) throws {
    let range = try #require(Self.text.firstRange(of: part))
    var alias = Self.text
    alias.replaceSubrange(range, with: replacement)
    let error = #expect(throws: AttachmentRecord.DecodingError.self) {
      _ = try AttachmentRecord(decoding: alias)
    }
    guard case .damaged = error else {
      Issue.record("\(alias) gives \(String(describing: error))")
      return
    }
  }

  @Test func truncationsAndNoiseNeverTrapAndNeverChange() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    let bytes = Array(Self.text.utf8)
    for length in 0..<bytes.count { check(Array(bytes.prefix(length)), seed) }
    for _ in 0..<50_000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        damaged[Int.random(in: 0..<damaged.count, using: &generator)] =
          UInt8.random(in: 0 ... .max, using: &generator)
      }
      check(damaged, seed)
      check((0..<60).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }, seed)
    }
  }

  /// What is read must be written the same way.
  private func check(_ bytes: [UInt8], _ seed: UInt64) {
    let alias = String(decoding: bytes, as: UTF8.self)
    guard let record = try? AttachmentRecord(decoding: alias) else { return }
    #expect((try? record.encoded()) == alias, "seed \(seed)")
  }

  @Test func drawnAddressesAreLocalStations() {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<1000 {
      let address = MACAddress.randomStation(using: &generator)
      #expect(address.isStation && address.bits & 0x0200_0000_0000 != 0)
    }
  }
}

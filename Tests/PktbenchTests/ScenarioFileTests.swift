// SPDX-License-Identifier: Apache-2.0

import Foundation
import Node
import TestSupport
import Testing

@testable import pktbench

@Suite("Scenario files")
struct ScenarioFileTests {
  private func parse(_ text: String) throws(ConfigurationErrors) -> ScenarioPlan {
    try ScenarioFile.parse(text: text, file: "x.toml", scenarios: [PretendScenario.self]).plan
  }

  private func messages(_ text: String) -> [String] {
    do throws(ConfigurationErrors) {
      _ = try parse(text)
      return []
    } catch {
      return error.issues.map(\.description)
    }
  }

  private static let complete = """
    scenario = "pretend"
    size = [64, 1350]
    entries = [16, 1024]
    against = ["kernel-bridge"]
    pairs = 3
    seconds = 0.25
    """

  @Test("a file holds what the options hold")
  func aFileHoldsWhatTheOptionsHold() throws {
    let plan = try parse(Self.complete)
    #expect(
      plan
        == ScenarioPlan(
          sizes: [64, 1350], entries: [16, 1024], against: ["kernel-bridge"], pairs: 3,
          seconds: 0.25))
    #expect(try parse("scenario = \"pretend\"\nagainst = []\nseconds = 1").against == [])
  }

  @Test("batches, peers and encryption are keys of a file as well")
  func newerOptionsAreKeys() throws {
    let text = "scenario = \"seal\"\nbatch = [8]\npeers = [2]"
    let plan = try ScenarioFile.parse(text: text, file: "x.toml").plan
    #expect(plan.batches == [8] && plan.peers == [2])
    let encap = "scenario = \"encap\"\nencrypted = "
    #expect(try ScenarioFile.parse(text: encap + "true", file: "x.toml").plan.isEncrypted)
    #expect(throws: ConfigurationErrors.self) {
      try ScenarioFile.parse(text: encap + "1", file: "x.toml")
    }
    #expect(messages("scenario = \"pretend\"\nencrypted = true").count == 1)
  }

  @Test("every mistake is told at once, by line, with what is accepted")
  func everyMistakeIsTold() {
    let found = messages(
      """
      scenario = "pretend"
      size = [20]
      entries = 16
      agianst = ["kernel-vxlan"]
      pairs = "3"
      """)
    #expect(found.count == 4)
    #expect(found.first?.hasPrefix("x.toml:2: size: 20 is too small; accepted: ") == true)
    #expect(found.contains { $0.hasPrefix("x.toml:3: entries: 16 is a number; accepted: a list") })
    #expect(found.contains { $0.contains("x.toml:4: agianst: is not a known key; did you mean") })
    #expect(found.contains { $0.hasPrefix("x.toml:5: pairs: ") })
  }

  @Test("a scenario that is missing or unknown is told with those there are")
  func anUnknownScenarioIsTold() {
    #expect(messages("").first?.contains("is missing; accepted: \"pretend\"") == true)
    #expect(messages("scenario = \"pretnd\"").first?.contains("did you mean pretend?") == true)
    #expect(messages("scenario = 1").first?.contains("not a word in quotes") == true)
  }

  @Test("what is not TOML is told with line and column")
  func syntaxErrorsAreTold() {
    #expect(messages("scenario = \"pretend\"\nsize = [64").first?.hasPrefix("x.toml:2:") == true)
  }

  @Test("every beginning of a file is read or refused")
  func everyBeginningIsReadOrRefused() {
    for length in 0...Self.complete.utf8.count {
      _ = messages(String(decoding: Self.complete.utf8.prefix(length), as: UTF8.self))
    }
  }

  @Test("mutated files are read or refused", arguments: fixedSeeds)
  func mutatedFilesAreReadOrRefused(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      var bytes = Array(Self.complete.utf8)
      for _ in 0...random.number(below: 4) {
        bytes[random.number(below: bytes.count)] = UInt8(random.number(below: 128))
      }
      let text = String(decoding: bytes, as: UTF8.self)
      if let plan = try? parse(text) {
        #expect(plan.sizes.allSatisfy { (64...1500).contains($0) }, "\(random)")
      }
    }
  }

  @Test("every committed scenario file is right and named for its scenario")
  func everyCommittedFileIsRight() throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let folder = package.appending(path: "Benchmarks/scenarios")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".toml") }
    for file in files {
      let read = try ScenarioFile.load(path: folder.appending(path: file).path)
      #expect(file.hasPrefix(read.scenario.description.name), "\(file)")
    }
    let names = Set(files.map { $0.prefix { $0 != "." && $0 != "-" } })
    for scenario in Scenarios.all {
      let name = scenario.description.name
      #expect(names.contains(Substring(name)), "Benchmarks/scenarios/\(name).toml is missing")
    }
  }
}

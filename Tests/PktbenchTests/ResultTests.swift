// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import pktbench

@Suite("Results")
struct ResultTests {
  private static let machine = MachineReport(
    cpu: "Example CPU", cores: 2, kernel: "6.1.0", memory: 8 << 30, hypervisor: true,
    loadAverage: .init(before: 0.5, after: 1.5), steal: 0.01, seconds: 12, weft: "1.2.3")

  private static var measure: Measure {
    var measure = Measure(name: "encap", size: 64, ours: 3e6, unit: "frames/s", lost: 0)
    measure.against = "kernel-vxlan"
    measure.theirs = 1.5e6
    measure.perCPUSecond = .init(ours: 1.6e6, theirs: 0.8e6)
    measure.idleBreaths = 0.125
    measure.ratio = .init(median: 2, min: 1.75, max: 2.25, pairs: 5)
    return measure
  }

  private static let report = Report(machine: machine, measures: [measure])

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("the JSON has exactly the keys that readers rely on")
  func theJSONHasExactlyItsKeys() throws {
    let root = try object(try Self.report.json())
    #expect(root.keys.sorted() == ["machine", "measures", "schema"])
    #expect(root["schema"] as? Int == 1)
    let machine = try #require(root["machine"] as? [String: Any])
    #expect(
      machine.keys.sorted() == [
        "cores", "cpu", "hypervisor", "kernel", "load_average", "memory", "seconds", "steal",
        "weft",
      ])
    let measure = try #require((root["measures"] as? [[String: Any]])?.first)
    #expect(
      measure.keys.sorted() == [
        "against", "idle_breaths", "lost", "name", "ours", "per_cpu_second", "ratio", "size",
        "theirs", "unit",
      ])
    let ratio = try #require(measure["ratio"] as? [String: Any])
    #expect(ratio.keys.sorted() == ["max", "median", "min", "pairs"])
    let sides = try #require(measure["per_cpu_second"] as? [String: Double])
    #expect(sides == ["ours": 1.6e6, "theirs": 0.8e6])
  }

  @Test("what does not apply is absent, not null")
  func whatDoesNotApplyIsAbsent() throws {
    var measure = Measure(name: "pipeline", size: 64, ours: 30, unit: "ns/frame", lost: 0)
    measure.entries = 16
    measure.range = .init(min: 29, max: 31, rounds: 5)
    let text = try Report(machine: Self.machine, measures: [measure]).json()
    #expect(!text.contains("null"))
    let measures = try object(text)["measures"] as? [[String: Any]]
    #expect(
      measures?.first?.keys.sorted() == [
        "entries", "lost", "name", "ours", "range", "size", "unit",
      ])
  }

  @Test("a report survives its way through JSON")
  func aReportSurvives() throws {
    let text = try Self.report.json()
    #expect(try JSONDecoder().decode(Report.self, from: Data(text.utf8)) == Self.report)
  }

  @Test("the table names machine, measure and spread, and warns of a slow generator")
  func theTableSaysEverything() {
    let text = Self.report.text()
    for part in [
      "Example CPU, 2 cores, virtual, 8.0 GiB, Linux 6.1.0, Weft 1.2.3", "steal 1.0 %",
      "3.000 M", "2.00 (1.75 to 2.25)", "kernel-vxlan", "12.5 %", "the ratio is a lower bound",
    ] {
      #expect(text.contains(part), "\(part)\n\(text)")
    }
    #expect(!text.contains("ENTRIES"), "a column without anything is left out")
  }

  @Test("a result file is replaced as a whole, and a wrong place is refused before the run")
  func aResultFileIsReplaced() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "pktbench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "results.json").path
    let destination = ReportDestination(argument: path)
    for _ in 0..<2 {
      try destination.check()
      try destination.write(Self.report)
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == Self.report.json())
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["results.json"])
    for wrong in [folder.path, folder.appending(path: "missing/results.json").path] {
      #expect {
        try ReportDestination(argument: wrong).check()
      } throws: { ($0 as? ScenarioError)?.status == .cannotWrite }
    }
    #expect(ReportDestination(argument: "-") == .standardOutput)
  }
}

@Suite("Spreads")
struct SpreadTests {
  @Test("the median is the middle one, or the mean of the two in the middle")
  func theMedianIsInTheMiddle() throws {
    #expect(Spread([3])?.median == 3)
    #expect(Spread([3, 1, 2])?.median == 2)
    #expect(Spread([4, 1, 3, 2])?.median == 2.5)
    let spread = try #require(Spread([5, 1, 9]))
    #expect(spread.min == 1 && spread.max == 9 && spread.count == 3)
  }

  @Test("nothing, and what is no number, has no spread")
  func nothingHasNoSpread() {
    #expect(Spread([]) == nil)
    #expect(Spread([1, .nan]) == nil)
    #expect(Spread([.infinity]) == nil)
  }

  @Test("half of the figures are on each side of the median", arguments: fixedSeeds)
  func halfOfTheFiguresAreOnEachSide(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for count in 1...40 {
      let figures = (0..<count).map { _ in Double(random.number(below: 10)) }
      let spread = try #require(Spread(figures))
      #expect(figures.count { $0 < spread.median } * 2 <= count, "\(random)")
      #expect(figures.count { $0 > spread.median } * 2 <= count, "\(random)")
    }
  }
}

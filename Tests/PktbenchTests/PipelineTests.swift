// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Synchronization
import Testing

@testable import pktbench

@Suite("The scenario pipeline")
struct PipelineTests {
  private static let tiny = ScenarioPlan(
    sizes: [64], entries: [16], against: [], pairs: 1, seconds: 0.000_1)

  @Test("it measures every way and every stage, and loses nothing")
  func itMeasuresEverything() throws {
    let lines = Mutex<[String]>([])
    let run = ScenarioRun { line in lines.withLock { $0.append(line) } }
    let measures = try PipelineScenario.measure(Self.tiny, in: run)
    let names = Set(measures.map(\.name))
    let expected =
      PipelineWay.allCases.map { "pipeline.\($0)" }
      + PipelineStage.allCases.map { "pipeline.stage.\($0)" }
    #expect(names == Set(expected))
    #expect(measures.count == expected.count)
    #expect(measures.allSatisfy { $0.lost == 0 && $0.ours >= 0 && $0.unit == "ns/frame" })
    #expect(measures.allSatisfy { $0.size == 64 && $0.entries == 16 })
    #expect(measures.allSatisfy { $0.range?.rounds == 1 && $0.ratio == nil })
    #expect(lines.withLock(\.count) > 4)
  }

  @Test("the C probe is compared with the way that does what it does, and with nothing else")
  func theCProbeIsComparedWithOneWay() throws {
    var plan = Self.tiny
    plan.against = ["c-probe"]
    let measures = try PipelineScenario.measure(plan, in: ScenarioRun())
    let compared = measures.filter { $0.against != nil }
    #expect(compared.map(\.name) == ["pipeline.encapsulate"])
    #expect(compared.allSatisfy { $0.unit == "ns/frame" && $0.lost == 0 })
    #expect(compared.allSatisfy { $0.ratio?.pairs == 1 && ($0.theirs ?? 0) > 0 })
  }

  @Test("the thread may run on all cores again afterwards")
  func theThreadIsNotLeftPinned() throws {
    let before = try Machine().cores
    _ = try PipelineScenario.measure(Self.tiny, in: ScenarioRun())
    #expect(try Machine().cores == before)
  }

  @Test("frames that nobody sent, and a worker that stands still, are noticed")
  func missingFramesAreNoticed() throws {
    let options = PipelineSwitch.Options(way: .local, size: 64, entries: 16)
    var way = try WholeWay(options)
    _ = try way.round(seconds: 0, in: ScenarioRun())
    #expect(try way.lost() == 0)
    // These arrive and are drawn, but never leave.
    try way.pipeline.fill()
    #expect(try way.lost() > 0)
  }

  @Test("an interruption ends a round that would take long")
  func anInterruptionEndsARound() throws {
    let run = ScenarioRun()
    run.interruption.request()
    #expect(throws: Interruption.error) { try PipelineScenario.measure(Self.tiny, in: run) }
  }

  @Test("a switch takes the largest frame and the largest table that options allow")
  func theLargestOptionsWork() throws {
    let description = PipelineScenario.description
    let options = PipelineSwitch.Options(
      way: .encapsulate, size: try #require(description.sizes).range.upperBound,
      entries: try #require(description.entries).range.upperBound)
    var way = try WholeWay(options)
    _ = try way.round(seconds: 0, in: ScenarioRun())
    #expect(try way.lost() == 0)
  }
}

@Suite("Interrupted runs of the program")
struct InterruptedProgramTests {
  @Test("a signal ends the program with status 130 and without a result", arguments: [2, 15])
  func aSignalEndsTheProgram(number: Int32) throws {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let program = tests.deletingLastPathComponent().appending(path: "pktbench")
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "pktbench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = Process()
    process.executableURL = program
    process.arguments = [
      "pipeline", "--seconds", "60", "--json", folder.appending(path: "results.json").path,
    ]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // The first line is written when the signals are already being taken.
    #expect(!errors.fileHandleForReading.availableData.isEmpty)
    kill(process.processIdentifier, number)
    let rest = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == ExitStatus.interrupted.rawValue)
    #expect(rest.contains("interrupted; nothing was recorded"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Sealing
import Synchronization
import Testing

@testable import pktbench

extension LiveScenarioTests {
  private func plan(_ scenario: any Scenario.Type, seconds: Double) throws -> ScenarioPlan {
    var plan = try scenario.description.plan(for: ScenarioWishes())
    plan.pairs = 1
    plan.seconds = seconds
    return plan
  }

  @Test(arguments: [600, 1464])
  func everyByteOfAStreamArrives(size: Int) throws {
    var plan = try plan(StreamScenario.self, seconds: 0.2)
    plan.sizes = [size]
    let measures = try measured(StreamScenario.self, plan)
    #expect(measures.map(\.against) == ["kernel-vxlan"])
    for measure in measures {
      #expect(measure.unit == "bytes/s" && measure.size == size)
      #expect(measure.lost == 0 && measure.ours > 0)
    }
  }

  @Test(arguments: [64, 1428])
  func framesTravelBySleeveBesideVXLAN(size: Int) throws {
    var plan = try plan(SleeveScenario.self, seconds: 0.2)
    plan.sizes = [size]
    plan.against = ["vxlan", "xdp"]
    let measures = try measured(SleeveScenario.self, plan)
    // Through the kernel's sockets only streams are sent.
    let isStream = size == 1428
    #expect(measures.map(\.name) == (isStream ? ["sleeve", "sockets"] : ["sleeve"]))
    #expect(measures.map(\.against) == (isStream ? ["vxlan", "xdp"] : ["vxlan"]))
    for measure in measures { expectBothSides(of: measure, size: size) }
  }

  @Test func sealedSleeveIsMeasuredAlone() throws {
    var plan = try plan(SleeveScenario.self, seconds: 0.2)
    plan.sizes = [1428]
    plan.against = []
    let measures = try measured(SleeveScenario.self, plan)
    #expect(measures.map(\.name) == ["sleeve", "sleeve.sealed"])
    #expect(measures.allSatisfy { $0.ours > 0 && $0.lost == 0 && $0.theirs == nil })
  }

  @Test func besideWeaveThereIsAlsoWhatOurHostsAgreeOn() {
    let names = SleeveScenario.contests(["weave"], size: 64).map { ours, theirs in
      [ours.measureName, theirs == .weave(isSealed: false) ? "plain" : "sealed"]
    }
    let usual = [["sleeve", "plain"], ["sleeve.sealed", "sealed"]]
    let hasCipher = suites.contains(.aes256gcm)
    #expect(names == usual + (hasCipher ? [["sleeve.aes256gcm", "sealed"]] : []))
  }

  @Test func aStreamTravelsEncryptedOverALongWire() throws {
    var plan = try EncryptedScenario.description.plan(
      for: ScenarioWishes(sizes: [8964], wireMTU: 9000, against: ["sleeve"], pairs: 1))
    plan.seconds = 0.2
    let measure = try #require(try measured(EncryptedScenario.self, plan).first)
    expectBothSides(of: measure, size: 8964)
    #expect((measure.forwarderTime?.ours ?? 0) > 0 && (measure.forwarderTime?.theirs ?? 0) > 0)
    #expect((measure.perCPUSecond?.ours ?? 0) > 0)
  }

  @Test(arguments: [64, 1464])
  func framesTravelEncryptedBesideOtherWays(size: Int) throws {
    var plan = try plan(EncryptedScenario.self, seconds: 0.2)
    plan.sizes = [size]
    plan.against = ["vxlan", "sleeve"] + suites.map { "sleeve-\($0.name)" }
    let measures = try measured(EncryptedScenario.self, plan)
    #expect(measures.map(\.against) == plan.against.map(Optional.some))
    for measure in measures {
      #expect(measure.name == "encrypted")
      expectBothSides(of: measure, size: size)
    }
  }

  @Test func encapsulationIsEncrypted() throws {
    let wishes = ScenarioWishes(sizes: [60, 1500], isEncrypted: true)
    var plan = try EncapScenario.description.plan(for: wishes)
    #expect(plan.against == ["vxlan", "kernel-vxlan", "kernel-vxlan-rps"])
    plan.against = ["vxlan", "kernel-vxlan", "spin"]
    plan.pairs = 1
    plan.seconds = 0.05
    let measures = try measured(EncapScenario.self, plan)
    #expect(measures.map(\.size) == [60, 60, 60, 1500, 1500, 1500])
    for measure in measures {
      #expect(measure.name == "encap.encrypted" && measure.lost == 0)
      #expect(measure.ours > 0 && (measure.theirs ?? 0) > 0)
    }
  }

  /// Suites besides secretbox.
  private var suites: [CipherSuite] { CipherSuite.available.filter { $0 != .secretbox } }

  private func expectBothSides(of measure: Measure, size: Int) {
    #expect(measure.size == size && measure.lost == 0)
    #expect(measure.unit == (size == 64 ? "frames/s" : "bytes/s"))
    #expect(measure.ours > 0 && (measure.theirs ?? 0) > 0)
  }

  @Test func datagramsComeBackFromTheOtherHost() throws {
    let plan = try plan(LatencyScenario.self, seconds: 0.05)
    let measures = try LatencyScenario.measure(plan, in: ScenarioRun())
    #expect(
      measures.map(\.name) == ["latency", "latency", "latency.pause", "latency.pause"])
    for measure in measures {
      #expect(measure.unit == "µs" && measure.isLessBetter == true)
      #expect(measure.ours > 0 && (measure.theirs ?? 0) > 0)
    }
  }

  @Test func aRateWithoutLossIsFoundOnBothSides() throws {
    let plan = try plan(LossScenario.self, seconds: 0.1)
    let measure = try #require(try measured(LossScenario.self, plan).first)
    #expect(measure.name == "loss" && measure.lost == 0)
    #expect(measure.ours > 0 && (measure.theirs ?? 0) > 0)
  }

  @Test func anIdleWorkerCostsSomethingAndNotACore() throws {
    let plan = try plan(IdleScenario.self, seconds: 0.3)
    let run = ScenarioRun()
    defer { run.cleanUps.run() }
    let measures = try IdleScenario.measure(plan, in: run)
    let hasDaemon = DaemonPair.programs.allSatisfy { DaemonPair.program($0) != nil }
    #expect(measures.map(\.name) == (hasDaemon ? ["idle", "idle.daemon"] : ["idle"]))
    for measure in measures {
      #expect(measure.unit == "% of a core" && measure.isLessBetter == true)
      #expect(0..<200 ~= measure.ours)
    }
  }

  @Test(arguments: ["stream", "sleeve", "encrypted", "latency", "loss", "idle"])
  func anInterruptionEndsItSoon(name: String) throws {
    let scenario = try #require(Scenarios.all.first { $0.description.name == name })
    // A trial of a search is short, and not interrupted.
    var plan = try plan(scenario, seconds: name == "loss" ? 0.5 : 60)
    // Nor is a generator, so that those that can have a stream have one.
    plan.sizes = plan.sizes.suffix(1)
    let interruption = Interruption()
    // Whatever it reports first, it is then in the middle of something.
    let run = ScenarioRun(interruption: interruption) { _ in
      DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) { interruption.request() }
    }
    #expect(throws: Interruption.error) { _ = try scenario.measure(plan, in: run) }
    run.cleanUps.run()
    #expect(ThreadTimes.own().seconds(named: "weft-worker-") == nil, "no worker is left")
  }

  @Test(
    "a signal to the program ends testpmd with it",
    .enabled("dpdk-dev and librte-net-af-xdp23 are not installed") {
      (try? TestpmdSwitch.check()) != nil
    }, arguments: [SIGINT, SIGKILL])
  func aSignalEndsTestpmdToo(number: Int32) throws {
    let (process, errors) = try started(
      "encap", "--size", "64", "--against", "testpmd", "--pairs", "101")
    // The first line is written when testpmd has been started and proven.
    #expect(!errors.fileHandleForReading.availableData.isEmpty)
    let mark = "--file-prefix=pktbench-\(process.processIdentifier)\0"
    #expect(processes(with: mark) == 1)
    expectNobodyIsLeft(of: process, with: mark, after: number)
  }

  @Test(
    "a signal to the program ends its daemons with it",
    .enabled("weftd and weft are not built") {
      ["pktbench", "weftd", "weft"].allSatisfy { DaemonPair.program($0) != nil }
    }, arguments: [SIGINT, SIGKILL])
  func aSignalEndsTheDaemonsToo(number: Int32) throws {
    let (process, errors) = try started("idle", "--seconds", "0.1", "--pairs", "101")
    var text = ""
    while !text.contains("idle.daemon: round") {
      let data = errors.fileHandleForReading.availableData
      guard !data.isEmpty else { break }
      text += String(decoding: data, as: UTF8.self)
    }
    #expect(text.contains("idle.daemon: round"), "\(text)")
    let mark = "pktbench-\(process.processIdentifier)-"
    #expect(processes(with: mark) == 2)
    expectNobodyIsLeft(of: process, with: mark, after: number)
    let manager = FileManager.default
    let left = try manager.contentsOfDirectory(atPath: manager.temporaryDirectory.path)
      .filter { $0.hasPrefix(mark) }
    // Whoever is killed cannot remove a file.
    #expect(left.count == (number == SIGINT ? 0 : 1))
    for name in left {
      try manager.removeItem(at: manager.temporaryDirectory.appending(path: name))
    }
  }

  /// Starts the program that was built with these tests.
  private func started(_ arguments: String...) throws -> (Process, errors: Pipe) {
    let program = try #require(DaemonPair.program("pktbench"))
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, errors)
  }

  /// Ends a program by a signal, and waits for those that it started.
  private func expectNobodyIsLeft(of process: Process, with mark: String, after number: Int32) {
    kill(process.processIdentifier, number)
    process.waitUntilExit()
    #expect(
      process.terminationStatus == (number == SIGINT ? ExitStatus.interrupted.rawValue : SIGKILL))
    let deadline = Date(timeIntervalSinceNow: 30)
    while processes(with: mark) > 0, Date() < deadline { usleep(10_000) }
    #expect(processes(with: mark) == 0)
  }

  /// How many programs have this in an argument.
  private func processes(with mark: String) -> Int {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.count { entry in
      let line = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") ?? Data()
      return Int(entry) != nil && line.firstRange(of: Data(mark.utf8)) != nil
    }
  }
}

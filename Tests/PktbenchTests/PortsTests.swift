// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import pktbench

/// Among the live scenarios, so that none of them runs at the same time on the same cores.
extension LiveScenarioTests {
  private func measures(_ count: Int, against: [String]) throws -> [String: Measure] {
    let plan = ScenarioPlan(
      sizes: [64], entries: [count], against: against, pairs: 1, seconds: 1)
    let measures = try PortsScenario.measure(plan, in: ScenarioRun())
    return Dictionary(uniqueKeysWithValues: measures.map { ($0.name, $0) })
  }

  @Test func manyPortsAreMeasuredAndEveryFrameIsAccountedFor() throws {
    let measures = try measures(8, against: ["alone"])
    let names = ["memory", "memory.counted", "memory.budget", "memory.process", "rate"]
    #expect(
      Set(measures.keys) == Set((names + ["open", "status", "close"]).map { "ports.\($0)" }))
    #expect(measures.values.allSatisfy { $0.lost == 0 && $0.entries == 8 })
    let rate = try #require(measures["ports.rate"])
    #expect(rate.ours > 0 && rate.ratio?.pairs == 1 && rate.idleBreaths != nil)
    #expect(measures["ports.open"]?.range?.rounds == 6)
    #expect(measures["ports.memory.budget"]?.ours ?? 0 > 8 * 2_097_152)
  }

  @Test func twoPortsHaveNoCrowd() throws {
    let measures = try measures(2, against: [])
    #expect(measures["ports.open"] == nil)
    #expect(measures["ports.rate"]?.range?.rounds == 1)
  }

  @Test func anInterruptionEndsTheSettingUp() throws {
    let run = ScenarioRun()
    let plan = ScenarioPlan(sizes: [64], entries: [8], against: [], pairs: 1, seconds: 0.01)
    run.interruption.request()
    #expect(throws: Interruption.error) { try PortsScenario.measure(plan, in: run) }
  }
}

@Suite struct KernelMemoryTests {
  private static let text = """
    MemTotal:       1000 kB
    MemFree:         300 kB
    MemAvailable:    500 kB
    Buffers:          20 kB
    Cached:          100 kB
    SwapCached:        0 kB
    AnonPages:       200 kB
    KernelStack:       4 kB
    SReclaimable:     80 kB
    SUnreclaim:       50 kB
    PageTables:       10 kB
    VmallocUsed:      30 kB
    Percpu:            6 kB
    HugePages_Total:   0
    """

  @Test func whatIsNeitherFreeNorAProcessesNorACacheIsTheKernels() throws {
    let memory = try #require(KernelMemory(Self.text))
    #expect(memory.used == 300 << 10)
    #expect(memory.counted == 100 << 10)
    #expect(memory.available == 500 << 10)
  }

  @Test func aFileWithoutALineIsRefused() {
    let lines = Self.text.split(separator: "\n")
    for missing in lines where !missing.hasPrefix("HugePages") {
      #expect(KernelMemory(lines.filter { $0 != missing }.joined(separator: "\n")) == nil)
    }
    #expect(KernelMemory("") == nil)
    #expect(KernelMemory(Self.text.replacing("1000", with: "9223372036854775807")) == nil)
  }

  @Test func thisProcessHasMemory() {
    #expect(KernelMemory.resident() > 1 << 20)
  }
}

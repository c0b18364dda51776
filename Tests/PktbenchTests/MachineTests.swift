// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import pktbench

@Suite("Processor times")
struct ProcessorTimesTests {
  private static let stat = """
    cpu  100 20 30 4000 50 6 7 80 9 0
    cpu0 50 10 15 2000 25 3 3 40 4 0
    intr 1 2 3
    """

  private func times(_ text: String) -> ProcessorTimes? {
    ProcessorTimes(stat: text, ticksPerSecond: 100)
  }

  @Test("work, idleness and theft are told apart")
  func timesAreToldApart() throws {
    let read = try #require(times(Self.stat))
    #expect(read.busySeconds == 1.63)
    #expect(read.idleSeconds == 40.5)
    #expect(read.stolenSeconds == 0.8)
  }

  @Test("a difference has shares, and counters that go back stand still")
  func aDifferenceHasShares() throws {
    let first = try #require(times("cpu 100 0 0 100 0 0 0 0 0 0"))
    let second = try #require(times("cpu 150 0 0 125 0 0 0 25 0 0"))
    let spent = second.since(first)
    #expect(spent.busySeconds == 0.5 && spent.idleSeconds == 0.25)
    #expect(spent.stolenShare == 0.25)
    #expect(first.since(second).busySeconds == 0)
    #expect(first.since(first).stolenShare == 0)
  }

  @Test(
    "what is not as proc(5) has it is refused",
    arguments: [
      "", "\n", "cpu", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7", "cpu 1 2 3 4 5 6 7 x",
      "cpu -1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 99999999999999999999", "cpus 1 2 3 4 5 6 7 8 9",
    ])
  func malformedTextIsRefused(text: String) {
    #expect(times(text) == nil)
  }

  @Test("a clock without ticks is refused, the largest counters are not")
  func extremesAreSafe() {
    #expect(ProcessorTimes(stat: Self.stat, ticksPerSecond: 0) == nil)
    #expect(ProcessorTimes(stat: Self.stat, ticksPerSecond: -1) == nil)
    let largest = [String](repeating: "\(UInt64.max)", count: 10).joined(separator: " ")
    #expect(times("cpu \(largest)")?.busySeconds.isFinite == true)
  }

  @Test("truncated, mutated and random text is read or refused", arguments: fixedSeeds)
  func hostileTextIsReadOrRefused(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let whole = Array(Self.stat.utf8)
    for length in 0...whole.count {
      read(String(decoding: whole.prefix(length), as: UTF8.self))
    }
    for _ in 0..<200 {
      var bytes = whole
      bytes[random.number(below: bytes.count)] = UInt8(random.number(below: 256))
      read(String(decoding: bytes, as: UTF8.self))
      read(String(decoding: random.bytes(random.number(below: 300)), as: UTF8.self))
    }
  }

  private func read(_ text: String) {
    if let read = times(text) { #expect(read.busySeconds >= 0) }
    _ = ProcessorList(text)
    _ = MemorySize(text)
    _ = LoadAverage(text)
  }

  @Test("this machine's times are read and do not go back")
  func thisMachinesTimesAreRead() throws {
    let first = try #require(ProcessorTimes.now())
    let second = try #require(ProcessorTimes.now())
    #expect(second.busySeconds >= first.busySeconds)
  }
}

@Suite("The machine")
struct MachineReportTests {
  private static let files = [
    "/proc/cpuinfo": """
    processor\t: 0
    model name\t: Example CPU: fast
    flags\t\t: fpu sse hypervisor

    processor\t: 1
    model name\t: Example CPU: fast
    flags\t\t: fpu sse hypervisor
    """,
    "/proc/meminfo": "MemTotal:        2048 kB\nMemFree: 1 kB\n",
    "/proc/loadavg": "1.25 0.5 0.25 1/200 12345\n",
    "/proc/sys/kernel/osrelease": "6.1.0-example\n",
    "/proc/stat": "cpu 1 2 3 4 5 6 7 8 9 10\n",
  ]

  @Test("the files of proc become a report")
  func theFilesBecomeAReport() {
    let report = MachineWatch { Self.files[$0] ?? "" }.report()
    #expect(report.cpu == "Example CPU: fast" && report.cores == 2 && report.hypervisor)
    #expect(report.memory == 2048 * 1024)
    #expect(report.kernel == "6.1.0-example")
    #expect(report.loadAverage == .init(before: 1.25, after: 1.25))
    #expect(report.steal == 0 && report.seconds >= 0 && !report.weft.isEmpty)
  }

  @Test("a machine that tells nothing is reported as unknown")
  func aSilentMachineIsUnknown() {
    let report = MachineWatch { _ in "" }.report()
    #expect(report.cpu.isEmpty && report.cores == 0 && report.memory == 0 && !report.hypervisor)
  }

  @Test("sizes that overflow and loads that are no numbers are unknown")
  func overflowsAreUnknown() {
    #expect(MemorySize("MemTotal: \(UInt64.max) kB").bytes == 0)
    #expect(MemorySize("MemTotal: 5 MB").bytes == 0)
    #expect(LoadAverage("nan 1 1").oneMinute == 0)
    #expect(LoadAverage("-1 1 1").oneMinute == 0)
    #expect(LoadAverage("inf").oneMinute == 0)
  }

  @Test("this machine has cores and a kernel")
  func thisMachineHasCores() {
    let report = MachineWatch().report()
    #expect(report.cores >= 1 && !report.kernel.isEmpty && report.memory > 0)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import TestSupport
import Testing

@testable import ControlPlane

/// Records of several workers become one list, and names become ports.
struct TraceRecordingTests {
  private func record(ticks: UInt64, worker: UInt16) -> TraceRecord {
    var record = TraceStoryTests.record(FrameBuilder().arpRequest())
    record.ticks = ticks
    record.worker = worker
    return record
  }

  @Test func framesOfAllWorkersAreInTheOrderOfTimeAndNoMoreThanAskedFor() {
    var recording = TraceRecording(count: 3, ticks: 1000, lostBefore: 5)
    for (ticks, worker) in [(1500, 0), (2500, 0), (2000, 1), (3000, 1)] {
      #expect(!recording.isComplete || ticks == 3000)
      recording.add(
        record(ticks: UInt64(ticks), worker: UInt16(worker)), names: TraceStoryTests.names)
    }
    #expect(recording.isComplete)
    // 10,000 ticks in 20 ms: 500 a millisecond.
    let report = recording.report(ticks: 11_000, after: .milliseconds(20), lost: 7)
    #expect(report.frames.map(\.milliseconds) == [1, 2, 3])
    #expect(report.frames.map(\.worker) == [0, 1, 0])
    #expect(report.lost == 2)
  }

  @Test func clockThatDoesNotTickGivesNoTimes() {
    var recording = TraceRecording(count: 3, ticks: 1000, lostBefore: 0)
    recording.add(record(ticks: 900, worker: 0), names: TraceStoryTests.names)
    recording.add(record(ticks: 1000, worker: 0), names: TraceStoryTests.names)
    let report = recording.report(ticks: 1000, after: .zero, lost: 0)
    #expect(report.frames.map(\.milliseconds) == [0, 0] && report.lost == 0)
  }

  @Test func portsAreFoundByInterfaceAndByNamespace() throws {
    let names = TraceStoryTests.names
    for (name, port) in [
      ("weft0", 0), ("eth0", 1), ("weft-1a", 2), ("c1", 2), ("/run/netns/c1", 2), ("pid 42", 3),
    ] {
      #expect(try names.port(named: name) == PortIndex(UInt16(port)))
    }
  }

  @Test func unknownPortIsRefusedWithThoseThereAre() {
    #expect(
      throws: RequestError(
        "there is no port 'eth1'", field: "port",
        accepted: "one of the interfaces weft0 (host), eth0, weft-1a (c1), weft-2b (pid 42)")
    ) { try TraceStoryTests.names.port(named: "eth1") }
  }

  @Test func namespaceWithTwoPortsIsRefused() {
    var names = TraceStoryTests.names
    names.ports[PortIndex(4)] = .init(
      interface: "weft-3c", kind: .container, netns: "/run/netns/c1")
    let error = #expect(throws: RequestError.self) { try names.port(named: "c1") }
    #expect(error?.message == "'c1' has several ports")
  }
}

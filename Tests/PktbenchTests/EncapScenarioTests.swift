// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import pktbench

/// The whole scenario with the real kernel, as short as it can be.
@Suite(.serialized) struct EncapScenarioTests {
  @Test(arguments: [60, 1500])
  func everyFrameIsAccountedFor(size: Int) throws {
    let plan = ScenarioPlan(
      sizes: [size], entries: [], against: ["kernel-vxlan", "kernel-vxlan-rps"], pairs: 1,
      seconds: 0.01)
    let measures = try EncapScenario.measure(plan, in: ScenarioRun())
    #expect(measures.map(\.against) == ["kernel-vxlan", "kernel-vxlan-rps"])
    for measure in measures {
      #expect(measure.name == "encap")
      #expect(measure.size == size)
      #expect(measure.lost == 0)
      #expect(measure.ours > 0)
      #expect(measure.ratio?.pairs == 1)
      #expect(measure.perCPUSecond == nil || measure.idleBreaths != nil)
    }
  }

  @Test func flowsDifferAndKnowTheirFrames() {
    let flows = Flows(size: 64)
    var frames: Set<[UInt8]> = []
    for number in 0..<Flows.count {
      var frame = [UInt8](repeating: 0, count: 64)
      var bytes = frame.mutableSpan
      flows.write(number, into: &bytes)
      #expect(flows.contains(frame))
      frames.insert(frame)
    }
    #expect(frames.count == Flows.count)
    #expect(!flows.contains([UInt8](repeating: 0, count: 64)))
    #expect(!flows.contains([]))
  }
}

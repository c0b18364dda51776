// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import pktbench

/// The live scenarios with the real kernel, as short as they can be.
@Suite(.serialized) struct LiveScenarioTests {
  @Test(arguments: [Way.encap, .decap, .bridge], [60, 1500])
  func everyFrameIsAccountedFor(way: Way, size: Int) throws {
    let scenario = try #require(Scenarios.all.first { $0.description.name == way.rawValue })
    let isThere = (try? TestpmdSwitch.check()) != nil
    let plan = ScenarioPlan(
      sizes: [size], entries: [],
      against: scenario.description.competitors.filter { $0 != "testpmd" || isThere }, pairs: 1,
      seconds: 0.05)
    let measures = try measured(scenario, plan)
    #expect(measures.map(\.against) == plan.against.map(Optional.some))
    for measure in measures {
      #expect(measure.name == way.rawValue)
      #expect(measure.size == size)
      #expect(measure.lost == 0)
      #expect(measure.ours > 0)
      #expect(measure.ratio?.pairs == 1)
      #expect(measure.idleBreaths != nil)
      let tells = ["spin", "testpmd"].contains(measure.against)
      #expect((measure.forwarderTime?.theirs != nil) == tells)
      #expect((measure.forwarderTime?.ours ?? 0) > 0)
    }
  }

  @Test func aProgramOfARoomEndsWhenItIsToldTo() throws {
    let room = try Room("test")
    let process = try RoomProcess("cat", ["cat"], in: room)
    defer { process.end() }
    try process.say("hello")
    #expect(try process.output(endingWith: "hello\n", seconds: 30) == "hello\n")
    process.pause()
    process.end()
    process.end()
    #expect(throws: ScenarioError.self) {
      _ = try process.output(endingWith: "hello\n", seconds: 30)
    }
  }

  @Test func coresAreWrittenAsTheKernelReadsThem() {
    #expect(Room.mask(of: [0]) == "1")
    #expect(Room.mask(of: [1, 31]) == "80000002")
    #expect(Room.mask(of: [0, 33]) == "2,1")
    #expect(Room.mask(of: [64]) == "1,0,0")
  }

  @Test(arguments: [Way.encap, .decap, .bridge])
  func flowsDiffer(way: Way) {
    let flows = Flows(size: 64, way: way)
    var frames: Set<[UInt8]> = []
    for number in 0..<Flows.count {
      var frame = [UInt8](repeating: 0, count: flows.sentLength)
      var bytes = frame.mutableSpan
      flows.write(number, into: &bytes)
      // Only a bridge delivers what was sent.
      #expect(flows.flow(of: frame) == (way == .bridge ? number : nil))
      frames.insert(frame)
    }
    #expect(frames.count == Flows.count)
    #expect(flows.flow(of: [UInt8](repeating: 0, count: 64)) == nil)
    #expect(flows.flow(of: []) == nil)
  }
}

extension LiveScenarioTests {
  /// Measures, for longer if a side moved nothing or too little, as a worker may have to wait for
  /// its core on a busy machine.
  func measured(_ scenario: any Scenario.Type, _ plan: ScenarioPlan) throws -> [Measure] {
    var plan = plan
    while true {
      do {
        return try scenario.measure(plan, in: ScenarioRun())
      } catch let error as ScenarioError {
        let mayBeOthers = ["moved no frame", "at any rate", "did not arrive"].contains {
          error.description.contains($0)
        }
        guard mayBeOthers, plan.seconds < 10 else { throw error }
        plan.seconds *= 4
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Tables

/// A stage that is measured by itself.
enum PipelineStage: String, CaseIterable, Sendable {
  case receive, open, parse, learn, lookup, encapsulate, send

  /// The way whose frames go through it.
  var way: PipelineWay { self == .open ? .decapsulate : .encapsulate }
}

/// Measures the stages one by one, each over the same eight batches before the next has its turn.
struct SingleStages: ~Copyable {
  private let pipeline: PipelineSwitch
  private let ports: PortTable
  private let hintRing: RingMemory<Hint>
  private let clockCost: UInt64
  private let origin: Location
  private var memory: FrameMemory
  private var hints: HintSender
  private let reader: SnapshotReader
  private var batches: [8 of Batch]
  /// How long each burst of the round took in each stage, in nanoseconds.
  private var bursts: [[UInt64]]

  /// A switch without a worker; this type does what one does, in another order.
  init(_ options: PipelineSwitch.Options) throws {
    let pipeline = try PipelineSwitch(options)
    let hintRing = try RingMemory<Hint>(capacity: 64, name: "pktbench-hints")
    self.pipeline = pipeline
    self.hintRing = hintRing
    ports = pipeline.ends.ports
    hints = HintSender(ring: hintRing.producerHalf())
    memory = FrameMemory(memory: pipeline.ends.frames)
    reader = SnapshotReader(memory: pipeline.snapshots, worker: 0)
    origin = Location(pipeline.input.port)
    clockCost = Stopwatch.cost()
    batches = [8 of Batch] { _ in Batch() }
    bursts = PipelineStage.allCases.map { _ in [] }
    reader.goOnline()
    for port in [pipeline.input, pipeline.output] { ports.start(port.slot) }
    exhale()
  }

  /// Goes through all stages until they took `seconds` together; returns nanoseconds for each frame
  /// of the burst in the middle by stage, in the order of `PipelineStage.allCases`.
  mutating func round(seconds: Double, in run: ScenarioRun) throws -> [Double] {
    let wanted = UInt64(seconds * 1e9)
    for stage in bursts.indices { bursts[stage].removeAll(keepingCapacity: true) }
    var spent: UInt64 = 0
    repeat {
      try run.check()
      try pipeline.fill()
      let snapshot = reader.refresh()
      let started = Stopwatch.now
      receive()
      decide(snapshot)
      try send()
      spent += Stopwatch.now - started
      pipeline.drain()
    } while spent < wanted
    return bursts.indices.map { PipelineSwitch.perFrame(&bursts[$0]) }
  }

  /// Frames that came and did not leave.
  var lost: Int { abs(pipeline.arrivedCount - pipeline.leftCount) }

  private mutating func receive() {
    let started = Stopwatch.now
    for index in 0..<batches.count {
      ports.receive(pipeline.input.slot, into: &batches[index], memory: &memory)
      batches[index].begin(from: origin)
    }
    note(.receive, since: started)
  }

  private mutating func decide(_ snapshot: ForwardingSnapshot) {
    var started = Stopwatch.now
    if pipeline.input.kind == .underlay {
      for index in 0..<batches.count {
        OpenStage.process(&batches[index], memory: memory, snapshot: snapshot)
      }
      started = note(.open, since: started)
    }
    for index in 0..<batches.count {
      ParseStage.process(&batches[index], memory: memory, snapshot: snapshot)
    }
    started = note(.parse, since: started)
    for index in 0..<batches.count {
      LearnStage.process(&batches[index], snapshot: snapshot, reader: reader, hints: &hints)
    }
    started = note(.learn, since: started)
    for index in 0..<batches.count { LookUpStage.process(&batches[index], snapshot: snapshot) }
    started = note(.lookup, since: started)
    for index in 0..<batches.count {
      EncapsulateStage.process(&batches[index], memory: &memory, snapshot: snapshot)
    }
    note(.encapsulate, since: started)
  }

  private mutating func send() throws {
    let expected = Verdict.forward(Location(pipeline.output.port))
    var isSent = true
    let started = Stopwatch.now
    for index in 0..<batches.count where batches[index].count > 0 {
      let slot = pipeline.output.slot
      let count = ports.send(&batches[index], from: 0, slot, memory: &memory)
      isSent = count == batches[index].count && batches[index].verdicts[0] == expected && isSent
    }
    exhale()
    note(.send, since: started)
    guard isSent else {
      throw ScenarioError(.failed, "a frame went astray in the stages; this is a mistake in them")
    }
  }

  private mutating func exhale() {
    _ = ports.exhale(memory: &memory)
  }

  @discardableResult
  private mutating func note(_ stage: PipelineStage, since started: UInt64) -> UInt64 {
    let took = Stopwatch.now - started
    bursts[stage.index].append(took > clockCost ? took - clockCost : 0)
    return Stopwatch.now
  }
}

extension PipelineStage {
  /// Its place among all stages.
  var index: Int {
    PipelineStage.allCases.firstIndex(of: self) ?? 0
  }
}

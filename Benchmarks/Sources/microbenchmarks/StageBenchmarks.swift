// SPDX-License-Identifier: Apache-2.0

internal import Dataplane
internal import Forwarding

/// The stages of a breath, one at a time, over batches.
enum StageBenchmarks {
  static var all: [Benchmark] {
    Parameter.batches.flatMap { frames in
      [
        Benchmark("Dataplane.open.\(frames)-frames", items: frames) {
          OpenWork(scene: try Scene(frames: frames, senders: Fabric.endpoint))
        },
        Benchmark("Dataplane.parse.\(frames)-frames", items: frames) {
          ParseWork(scene: try Scene(frames: frames))
        },
        Benchmark("Dataplane.encapsulate.\(frames)-frames", items: frames) {
          EncapsulateWork(scene: try Scene(frames: frames))
        },
      ] + tables(frames: frames, stations: 1024)
    } + tables(frames: 64, stations: 16) + tables(frames: 64, stations: 65_536)
  }

  /// The stages whose work may depend on how much the table holds.
  private static func tables(frames: Int, stations: Int) -> [Benchmark] {
    [
      Benchmark("Dataplane.learn.\(frames)-frames.\(stations)-stations", items: frames) {
        LearnWork(scene: try Scene(frames: frames, stations: stations))
      },
      Benchmark("Dataplane.lookUp.\(frames)-frames.\(stations)-stations", items: frames) {
        LookUpWork(scene: try Scene(frames: frames, stations: stations))
      },
    ]
  }
}

/// Frames of the endpoint lose their outer headers.
private struct OpenWork: ~Copyable, Workload {
  var scene: Scene

  mutating func prepare() { scene.reset(origin: Location(Fabric.underlay)) }

  mutating func run() {
    OpenStage.process(&scene.batch, memory: scene.memory, snapshot: scene.snapshot)
  }

  var isAsExpected: Bool {
    scene.hasVerdict(.undecided)
      && (0..<scene.batch.count).allSatisfy {
        scene.batch.frames[$0].length == 64 && scene.batch.origins[$0] == Fabric.endpoint.bits
      }
  }
}

/// Addresses become keys.
private struct ParseWork: ~Copyable, Workload {
  var scene: Scene

  mutating func prepare() { scene.reset(origin: Location(Fabric.firstPort)) }

  mutating func run() {
    ParseStage.process(
      &scene.batch, memory: scene.memory, snapshot: scene.snapshot)
  }

  var isAsExpected: Bool {
    scene.hasVerdict(.undecided)
      && (0..<scene.batch.count).allSatisfy { scene.batch.sourceKeys[$0] != 0 }
  }
}

/// Senders are where the snapshot says they are.
private struct LearnWork: ~Copyable, Workload {
  var scene: Scene

  mutating func prepare() {
    scene.reset(origin: Location(Fabric.firstPort))
    ParseStage.process(
      &scene.batch, memory: scene.memory, snapshot: scene.snapshot)
  }

  mutating func run() {
    LearnStage.process(
      &scene.batch, snapshot: scene.snapshot, reader: scene.reader, hints: &scene.hints)
  }

  var isAsExpected: Bool { scene.hasVerdict(.undecided) && scene.areSendersKnown }
}

/// Receivers are behind the endpoint.
private struct LookUpWork: ~Copyable, Workload {
  var scene: Scene

  mutating func prepare() {
    scene.reset(origin: Location(Fabric.firstPort))
    ParseStage.process(
      &scene.batch, memory: scene.memory, snapshot: scene.snapshot)
  }

  mutating func run() { LookUpStage.process(&scene.batch, snapshot: scene.snapshot) }

  var isAsExpected: Bool { scene.hasVerdict(.forward(Fabric.endpoint)) }
}

/// Frames get outer headers.
private struct EncapsulateWork: ~Copyable, Workload {
  var scene: Scene

  mutating func prepare() {
    scene.reset(origin: Location(Fabric.firstPort))
    for index in 0..<scene.batch.count { scene.batch.verdicts[index] = .forward(Fabric.endpoint) }
  }

  mutating func run() {
    EncapsulateStage.process(&scene.batch, memory: &scene.memory, snapshot: scene.snapshot)
  }

  var isAsExpected: Bool { scene.hasVerdict(.forward(Location(Fabric.underlay))) }
}

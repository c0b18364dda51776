// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Telemetry

/// Makes the frames of one queue bad, right after they were received and before any stage.
///
/// It takes a batch over and gives it out again in one or more batches, since duplicates make more
/// of it. A reordered frame is kept until one to eight later frames have overtaken it, or until
/// none came for `quietBreathsMax` breaths. At most eight frames can be on their way so, one for
/// each of the eight arrivals before; with those that are due and a duplicate that is never more
/// than `heldCountMax`.
struct FaultInjector: BitwiseCopyable {
  /// A frame that is kept, and the arrivals it still waits for.
  private struct Waiting: BitwiseCopyable {
    var frame: Frame
    var arrivals: UInt32
  }

  private var settings: FaultSettings
  private var random: FaultGenerator
  private var arrived = [64 of Frame](repeating: Frame(address: 0, length: 0))
  private var arrivedCount = 0
  /// The first of `arrived` that was not dealt with.
  private var next = 0
  /// In the order they came; the first `heldCount` are meaningful.
  private var waiting = [16 of Waiting](
    repeating: Waiting(frame: Frame(address: 0, length: 0), arrivals: 0))
  /// Frames kept.
  private(set) var heldCount = 0
  private var quietBreaths = 0

  /// Later frames that overtake a reordered one at most.
  static var overtakersMax: UInt32 { 8 }
  /// Breaths without a frame after which what is kept goes on.
  static var quietBreathsMax: Int { 256 }
  static var heldCountMax: Int { 16 }

  init(_ settings: FaultSettings) {
    self.settings = settings
    random = FaultGenerator(seed: settings.seed)
  }

  /// Whether it has no part in the frames' way any more.
  var isDone: Bool { settings.isNone && heldCount == 0 }

  /// Begins a run with these settings; what is kept stays so.
  mutating func change(to settings: FaultSettings) {
    self.settings = settings
    random = FaultGenerator(seed: settings.seed)
  }

  /// Takes the frames of a batch over, which may be none, and leaves it empty.
  mutating func take(_ batch: inout Batch) {
    arrived = batch.frames
    arrivedCount = batch.count
    next = 0
    batch.count = 0
    quietBreaths = arrivedCount == 0 ? quietBreaths &+ 1 : 0
    guard quietBreaths >= FaultInjector.quietBreathsMax || settings.isNone else { return }
    for index in 0..<heldCount { waiting[index].arrivals = 0 }
  }

  /// Fills the batch with what goes on now; false if that is nothing.
  ///
  /// Called until it is false, everything that was taken has gone on, was lost or is kept.
  mutating func fill(
    _ batch: inout Batch, memory: inout FrameMemory, counters: CounterBlock
  ) -> Bool {
    batch.count = 0
    while batch.count < Batch.capacity {
      if let frame = takeDue() {
        batch.append(frame)
      } else if next < arrivedCount {
        let frame = arrived[next]
        next &+= 1
        pass(frame, into: &batch, memory: &memory, counters: counters)
      } else {
        break
      }
    }
    return batch.count > 0
  }

  /// Gives up what is kept, as lost.
  mutating func discardHeld(memory: inout FrameMemory, counters: CounterBlock) {
    for index in 0..<heldCount { lose(waiting[index].frame, &memory, counters) }
    heldCount = 0
  }

  /// One frame's turn; nothing is due when it begins, and the batch has room for it.
  private mutating func pass(
    _ arrived: Frame, into batch: inout Batch, memory: inout FrameMemory, counters: CounterBlock
  ) {
    for index in 0..<heldCount { waiting[index].arrivals &-= 1 }
    guard !random.happens(settings.loss) else { return lose(arrived, &memory, counters) }
    var frame = arrived
    if random.happens(settings.truncation), frame.length > 0 {
      memory.truncate(&frame, to: Int(random.number(below: frame.length)))
    }
    if random.happens(settings.corruption) { corrupt(frame, &memory) }
    if random.happens(settings.duplication) { duplicate(frame, &memory, counters) }
    if random.happens(settings.reordering) {
      hold(frame, for: 1 &+ random.number(below: FaultInjector.overtakersMax))
    } else {
      batch.append(frame)
    }
  }

  private mutating func corrupt(_ frame: Frame, _ memory: inout FrameMemory) {
    guard frame.length > 0 else { return }
    for _ in 0...Int(random.number(below: 3)) {
      let place = Int(random.number(below: frame.length))
      memory.flip(UInt8(truncatingIfNeeded: 1 &+ random.number(below: 255)), of: frame, at: place)
    }
  }

  /// The copy is due at once; like a flood's it is counted also if it could not be made.
  private mutating func duplicate(
    _ frame: Frame, _ memory: inout FrameMemory, _ counters: CounterBlock
  ) {
    counters.add(1, to: WorkerCounter.copied.rawValue)
    guard let copy = memory.copy(frame) else {
      return counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
    }
    hold(copy, for: 0)
  }

  private func lose(_ frame: Frame, _ memory: inout FrameMemory, _ counters: CounterBlock) {
    counters.add(1, to: WorkerCounter.index(of: .faultInjected))
    memory.give(frame)
  }

  private mutating func hold(_ frame: Frame, for arrivals: UInt32) {
    waiting[heldCount] = Waiting(frame: frame, arrivals: arrivals)
    heldCount &+= 1
  }

  /// The oldest kept frame that has waited long enough.
  private mutating func takeDue() -> Frame? {
    var index = 0
    while index < heldCount, waiting[index].arrivals > 0 { index &+= 1 }
    guard index < heldCount else { return nil }
    let frame = waiting[index].frame
    heldCount &-= 1
    while index < heldCount {
      waiting[index] = waiting[index &+ 1]
      index &+= 1
    }
    return frame
  }
}

extension Batch {
  /// Adds a frame; there is room.
  @inline(__always)
  mutating func append(_ frame: Frame) {
    frames[count] = frame
    count &+= 1
  }
}

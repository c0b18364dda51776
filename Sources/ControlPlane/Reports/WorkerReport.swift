// SPDX-License-Identifier: Apache-2.0

/// One worker: a pinned thread that moves frames.
package struct WorkerReport: Codable, Sendable, Equatable {
  /// What a worker does when there are no frames.
  package enum Idle: String, Codable, Sendable {
    /// It spins for a while and then sleeps in the kernel.
    case adaptive
    /// It spins for ever.
    case spin
  }

  /// Whether the thread is in its loop or in the kernel.
  package enum State: String, Codable, Sendable {
    /// It looks for frames.
    case running
    /// It waits in `poll()` for the kernel to have some.
    case sleeping
  }

  /// The worker's number.
  package var index: UInt32
  /// The core it is pinned to.
  package var core: UInt32
  /// What it does when there are no frames.
  package var idle: Idle
  /// What it does now.
  package var state: State
  /// Turns of its loop since the start.
  package var breaths: UInt64
  /// Turns that found no frame.
  package var idleBreaths: UInt64
  /// The share of the last interval it was busy with frames, in percent, 0 to 100.
  package var loadPercent: Double
  /// Frames of its memory that nobody holds.
  package var framesFree: UInt64
  /// Frames of its memory.
  package var framesTotal: UInt64
  /// What became of the worker's frames.
  package var frames: FrameReport

  /// Describes one worker; a load outside 0…100 or not a number is brought inside.
  package init(
    index: UInt32, core: UInt32, idle: Idle, state: State, breaths: UInt64, idleBreaths: UInt64,
    loadPercent: Double, framesFree: UInt64, framesTotal: UInt64,
    frames: FrameReport = FrameReport()
  ) {
    self.index = index
    self.core = core
    self.idle = idle
    self.state = state
    self.breaths = breaths
    self.idleBreaths = idleBreaths
    self.loadPercent = percentage(loadPercent)
    self.framesFree = framesFree
    self.framesTotal = framesTotal
    self.frames = frames
  }

  private enum CodingKeys: String, CodingKey {
    case index, core, idle, state, breaths, frames
    case idleBreaths = "idle_breaths"
    case loadPercent = "load_percent"
    case framesFree = "frames_free"
    case framesTotal = "frames_total"
  }
}

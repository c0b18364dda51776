// SPDX-License-Identifier: Apache-2.0

/// What became of all frames.
///
/// `received + generated + copied + taken over = sent + punted + dropped + merged + held + handed
/// over`.
package struct FrameReport: Codable, Sendable, Equatable {
  /// Frames that came in at a port.
  package var received: UInt64
  /// Frames that the daemon made itself.
  package var generated: UInt64
  /// Copies made to flood a frame to more than one place.
  package var copied: UInt64
  /// Frames that left through a port.
  package var sent: UInt64
  /// Frames handed to the control plane.
  package var punted: UInt64
  /// Frames dropped, for all reasons together.
  package var dropped: UInt64
  /// Frames that became part of another frame.
  package var merged: UInt64
  /// Frames that wait inside the data plane at this moment.
  package var held: UInt64
  /// Frames that a worker took over from another one.
  package var takenOver: UInt64
  /// Frames that a worker handed over to another one, which serves the port they go to.
  package var handedOver: UInt64
  /// Whether both sides of the sum were equal when the report was made.
  package private(set) var balanced: Bool

  /// Adds both sides up; the sums wrap like the counters do.
  package init(
    received: UInt64 = 0, generated: UInt64 = 0, copied: UInt64 = 0, sent: UInt64 = 0,
    punted: UInt64 = 0, dropped: UInt64 = 0, merged: UInt64 = 0, held: UInt64 = 0,
    takenOver: UInt64 = 0, handedOver: UInt64 = 0
  ) {
    self.received = received
    self.generated = generated
    self.copied = copied
    self.sent = sent
    self.punted = punted
    self.dropped = dropped
    self.merged = merged
    self.held = held
    self.takenOver = takenOver
    self.handedOver = handedOver
    let sources = received &+ generated &+ copied &+ takenOver
    let ends = sent &+ punted &+ dropped &+ merged &+ held &+ handedOver
    self.balanced = sources == ends
  }

  private enum CodingKeys: String, CodingKey {
    case received, generated, copied, sent, punted, dropped, merged, held, balanced
    case takenOver = "taken_over"
    case handedOver = "handed_over"
  }
}

/// How many frames one drop reason has cost.
package struct DropReport: Codable, Sendable, Equatable {
  /// The reason's identifier, the same in code, metrics and JSON.
  package var reason: String
  /// The reason in words.
  package var sentence: String
  /// Frames dropped for it; reasons with zero are listed too.
  package var frames: UInt64

  /// Describes one reason.
  package init(reason: String, sentence: String, frames: UInt64) {
    self.reason = reason
    self.sentence = sentence
    self.frames = frames
  }
}

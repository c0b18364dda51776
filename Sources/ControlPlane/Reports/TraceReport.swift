// SPDX-License-Identifier: Apache-2.0

/// The ways of some frames through the data plane: the answer to `POST /trace`.
package struct TraceReport: Codable, Sendable, Equatable {
  /// One frame's way.
  package struct Frame: Codable, Sendable, Equatable {
    /// What became of it in the end.
    package enum End: String, Codable, Sendable {
      /// It left by a port.
      case sent
      /// Copies of it left, or some of them.
      case flooded
      /// It did not leave.
      case dropped
    }

    /// The worker that had it.
    package var worker: UInt32
    /// When the worker drew it, in milliseconds since the trace began.
    package var milliseconds: Double
    /// The interface of the port it came in at.
    package var port: String
    /// What is behind that port.
    package var kind: PortReport.Kind
    /// The network namespace behind it, if it is a container's.
    package var netns: String?
    /// Bytes as received.
    package var length: UInt32
    /// Its beginning as received, at most 128 bytes in hexadecimal.
    package var bytes: String
    /// What the stages said, in order.
    package var steps: [Step]
    /// What became of it.
    package var end: End
    /// The identifier of the reason why it, or a copy of it, was dropped.
    package var dropReason: String?

    private enum CodingKeys: String, CodingKey {
      case worker, milliseconds, port, kind, netns, length, bytes, steps, end
      case dropReason = "drop_reason"
    }
  }

  /// What one stage said of a frame.
  package struct Step: Codable, Sendable, Equatable {
    /// The stage: `open`, `parse`, `learn`, `look up`, `encapsulate`, or the frame's `end`.
    package var stage: String
    /// What it said.
    package var text: String
  }

  /// The frames, in the order they were drawn.
  package var frames: [Frame]
  /// Frames that should be here and were lost because the workers were faster than we read.
  package var lost: UInt64

  /// Describes a trace.
  package init(frames: [Frame], lost: UInt64) {
    self.frames = frames
    self.lost = lost
  }
}

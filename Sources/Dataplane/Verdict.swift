// SPDX-License-Identifier: Apache-2.0

public import Forwarding

/// What becomes of a frame.
///
/// A stage writes it, the worker carries it out.
public enum Verdict: BitwiseCopyable, Sendable, Equatable {
  /// Go on to the next stage.
  case undecided
  /// To one station.
  case forward(Location)
  /// To everybody but where it came from.
  case flood
  /// Nowhere.
  case drop(DropReason)
}

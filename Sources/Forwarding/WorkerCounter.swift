// SPDX-License-Identifier: Apache-2.0

/// What a worker counts, in the order of its counter block; `DropReason`s follow.
///
/// At rest, and in every consistent look at the block:
/// `received + generated + copied + takenOver = sent + punted + Σ dropped + merged + held +
/// handedOver`.
public enum WorkerCounter: Int, CaseIterable, Sendable {
  /// Frames taken from RX rings.
  case received
  /// Frames the worker made on behalf of the control plane.
  case generated
  /// Copies made for floods and by faults, those that failed for want of a frame included.
  case copied
  /// Frames appended to TX rings.
  case sent
  /// Frames handed to the control plane.
  case punted
  /// Frames that became part of another frame.
  case merged
  /// Frames the worker keeps for a later breath, because a fault makes them late.
  case held
  /// Frames taken over from another worker, which has no queue at the port they go to.
  case takenOver
  /// Frames handed over to the worker that serves the port they go to.
  case handedOver
  /// Turns of the loop.
  case breaths
  /// Turns that found nothing to do.
  case idleBreaths
  /// Times the worker went to sleep.
  case sleeps
  /// Learned addresses reported to the control plane.
  case hints
  /// Learned addresses that found the hint ring full; the next frame repairs it.
  case hintsLost
  /// Time-stamp counter ticks spent in breaths that found something to do.
  case busyTicks
  /// Free frames, as of the last breath that did something.
  case framesFree
  /// Wakeup system calls for TX.
  case wakeups

  /// Counters in a worker's block.
  public static var blockCount: Int { allCases.count + DropReason.allCases.count }

  /// The counter of a drop reason.
  @inlinable
  public static func index(of reason: DropReason) -> Int {
    dropBase &+ Int(reason.rawValue)
  }

  @usableFromInline static let dropBase = 17
}

/// What a port counts in one worker's block for it.
public enum PortCounter: Int, CaseIterable, Sendable {
  /// Frames taken from the port's RX ring.
  case receivedFrames
  /// Their bytes.
  case receivedBytes
  /// Frames appended to the port's TX ring.
  case sentFrames
  /// Their bytes.
  case sentBytes
}

/// One consistent look at a worker's frames, for status and for the accounting identity.
public struct FrameAccount: Equatable, Sendable {
  /// Frames by where they came from and went to.
  public var received, generated, copied, sent, punted, merged, held: UInt64
  /// Frames between workers.
  public var takenOver, handedOver: UInt64
  /// Drops in the order of `DropReason.allCases`.
  public var dropped: [UInt64]

  /// Reads the account from a counter block's values.
  public init(values: [UInt64]) {
    precondition(values.count == WorkerCounter.blockCount, "a worker's block")
    func value(_ counter: WorkerCounter) -> UInt64 { values[counter.rawValue] }
    received = value(.received)
    generated = value(.generated)
    copied = value(.copied)
    sent = value(.sent)
    punted = value(.punted)
    merged = value(.merged)
    held = value(.held)
    takenOver = value(.takenOver)
    handedOver = value(.handedOver)
    dropped = DropReason.allCases.map { values[WorkerCounter.index(of: $0)] }
  }

  /// Everything that came into being.
  public var sources: UInt64 { received + generated + copied + takenOver }

  /// Everything that has an end.
  public var ends: UInt64 {
    sent + punted + merged + held + handedOver + dropped.reduce(0, +)
  }

  /// Whether every frame is accounted for.
  public var isBalanced: Bool { sources == ends }

  /// Drops for one reason.
  public func dropped(_ reason: DropReason) -> UInt64 { dropped[Int(reason.rawValue)] }

  /// Sums two workers' accounts.
  public static func + (left: FrameAccount, right: FrameAccount) -> FrameAccount {
    var sum = left
    sum.received += right.received
    sum.generated += right.generated
    sum.copied += right.copied
    sum.sent += right.sent
    sum.punted += right.punted
    sum.merged += right.merged
    sum.held += right.held
    sum.takenOver += right.takenOver
    sum.handedOver += right.handedOver
    for index in sum.dropped.indices { sum.dropped[index] += right.dropped[index] }
    return sum
  }
}

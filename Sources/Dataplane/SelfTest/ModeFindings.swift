// SPDX-License-Identifier: Apache-2.0

internal import XDP

/// What test frames have shown of one mode.
struct ModeFindings: Equatable, Sendable {
  /// Why the program could not be attached; nil if it was.
  var refusal: String?
  /// Test frames sent.
  var sentCount = 0
  /// Those of them that arrived, byte for byte.
  var arrivedCount = 0
  /// The least nanoseconds that a frame of each length has cost.
  private(set) var leastCosts: [Int: Int] = [:]

  /// The sum over all lengths of the least nanoseconds a frame has cost; nil if one is not known.
  var cost: Int? {
    leastCosts.count == ModeTrial.lengthCount ? leastCosts.values.reduce(0, +) : nil
  }

  /// Whether frames come through; a few may be lost on a busy machine.
  var carries: Bool { refusal == nil && sentCount > 0 && arrivedCount * 16 >= sentCount * 15 }

  /// Notes what a frame of one length, known by its place among them, has cost.
  mutating func note(nanoseconds: Int, lengthIndex: Int) {
    leastCosts[lengthIndex] = min(leastCosts[lengthIndex] ?? .max, nanoseconds)
  }
}

/// The findings of both modes, and what follows from them.
struct ModeComparison: Equatable, Sendable {
  /// Nil if it was not tried.
  var native: ModeFindings?
  /// Nil if it was not tried.
  var generic: ModeFindings?

  /// The mode to use; nil if none carries frames.
  ///
  /// Generic has to be cheaper by more than a tenth: times on a busy machine are noisy, and native
  /// needs no socket buffer for a frame and keeps each queue's frames on that queue.
  var choice: AttachMode? {
    guard native?.carries == true else { return generic?.carries == true ? .generic : nil }
    guard generic?.carries == true, let nativeCost = native?.cost, let genericCost = generic?.cost
    else { return .native }
    return genericCost * 10 < nativeCost * 9 ? .generic : .native
  }

  /// The mode to use, if both carry frames and their costs were compared.
  var cheaper: AttachMode? {
    native?.carries == true && generic?.carries == true ? choice : nil
  }

  /// What was found of a mode.
  subscript(mode: AttachMode) -> ModeFindings? {
    get { mode == .native ? native : generic }
    set {
      if mode == .native { native = newValue } else { generic = newValue }
    }
  }

  /// Why the mode was chosen, in a sentence for the status page; `ground` is what was known before.
  func reason(for mode: AttachMode, ground: String?) -> String {
    guard let chosen = self[mode] else { return "\(mode)" }
    let other: AttachMode = mode == .native ? .generic : .native
    var text = "\(mode): " + (ground.map { "\($0); " } ?? "")
    text += "carried \(chosen.arrivedCount) of \(chosen.sentCount) test frames"
    if let cost = chosen.cost { text += "; \(ModeComparison.microseconds(cost)) a frame" }
    guard let second = self[other] else { return text }
    if let cost = second.cost, second.carries {
      return text + ", \(other) \(ModeComparison.microseconds(cost))"
    }
    return text + "; \(other) \(ModeComparison.failure(second))"
  }

  /// What each mode that was tried did, for the error if none carries frames.
  var failures: String {
    [AttachMode.native, .generic].compactMap { mode in
      self[mode].map { "\(mode) \(ModeComparison.failure($0))" }
    }.joined(separator: ", ")
  }

  private static func failure(_ findings: ModeFindings) -> String {
    if let refusal = findings.refusal { return "was refused (\(refusal))" }
    return "carried \(findings.arrivedCount) of \(findings.sentCount)"
  }

  /// The mean over the two lengths of frames, in microseconds with two decimals.
  private static func microseconds(_ cost: Int) -> String {
    let hundredths = (cost / ModeTrial.lengthCount + 5) / 10
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) µs"
  }
}

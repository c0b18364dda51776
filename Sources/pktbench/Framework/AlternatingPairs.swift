// SPDX-License-Identifier: Apache-2.0

/// What one side did while it was measured.
struct Sample: Equatable, Sendable {
  /// Frames that came through, or whatever else is counted.
  var frames: Int
  /// How long that took.
  var seconds: Double
  /// Processor time of the whole machine meanwhile; nil if it was not looked at.
  var cpuSeconds: Double?
  /// The share of the worker's breaths that found nothing; nil for competitors.
  var idleShare: Double?
  /// How long the forwarding core was at work; nil where that cannot be told.
  var busySeconds: Double?
  /// Frames that the forwarding core dealt with; nil if they are `frames`.
  var forwarded: Int?
  /// Frames that the generator got rid of; nil where that is of no interest.
  var offered: Int?
  /// Frames that came through, those included that were still under way at the end.
  var delivered: Int?
  /// What the sides are compared by, where that is not frames in a second.
  var value: Double?
  /// Frames that nobody can account for.
  var lost: Int
  /// Where frames were dropped, in words; nil where that is of no interest.
  var drops: String?

  /// Gathers what was seen.
  init(
    frames: Int, seconds: Double, cpuSeconds: Double? = nil, idleShare: Double? = nil,
    lost: Int = 0
  ) {
    self.frames = frames
    self.seconds = seconds
    self.cpuSeconds = cpuSeconds
    self.idleShare = idleShare
    self.lost = lost
  }

  /// Frames in a second.
  var rate: Double { seconds > 0 ? Double(frames) / seconds : 0 }

  /// Nanoseconds of the forwarding core for each frame; nil where that cannot be told.
  var busyPerFrame: Double? {
    let frames = forwarded ?? frames
    return busySeconds.flatMap { frames > 0 ? $0 * 1e9 / Double(frames) : nil }
  }

  /// Frames for a second of processor time; nil if none was seen.
  var perCPUSecond: Double? { cpuSeconds.flatMap { $0 > 0 ? Double(frames) / $0 : nil } }
}

/// Measures ours and theirs in turn and compares them pair by pair.
///
/// The order is ours, theirs, theirs, ours, ours, theirs, …: what drifts on the machine meanwhile
/// then favours neither side. A ratio is formed within each pair, from samples that follow each
/// other, and the median is taken of the ratios, not of the rates.
struct AlternatingPairs {
  /// What is compared, at which size, with whom.
  struct Subject: Equatable {
    var name: String
    var size: Int?
    var entries: Int?
    /// Packets that are dealt with together, and peers that they go to.
    var batch: Int?
    var peers: Int?
    /// The competitor; nil to measure ours alone.
    var against: String?
    /// What the figures are.
    var unit = Measure.Unit.framesPerSecond

    /// The name, and the size if it has one.
    var title: String { name + (size.map { ", \($0) bytes" } ?? "") }
  }

  /// What was seen in one pair.
  struct Pair: Equatable {
    var ours: Sample
    var theirs: Sample?
  }

  let subject: Subject
  /// How many pairs are measured; at least 1.
  let count: Int

  /// Measures all pairs: `ours` measures our side once, `theirs` the competitor.
  ///
  /// Without `theirs` ours is measured alone, that many rounds.
  func measure(
    in run: ScenarioRun, ours: () throws -> Sample, theirs: (() throws -> Sample)? = nil
  ) throws -> Measure {
    try measurePairs(in: run) { isOursFirst in
      guard let theirs else { return Pair(ours: try ours()) }
      if isOursFirst {
        let sample = try ours()
        try run.check()
        return Pair(ours: sample, theirs: try theirs())
      }
      let sample = try theirs()
      try run.check()
      return Pair(ours: try ours(), theirs: sample)
    }
  }

  /// Measures all pairs, each by one call of `pair`, which is told whether ours comes first.
  func measurePairs(
    in run: ScenarioRun, _ pair: (_ isOursFirst: Bool) throws -> Pair
  ) throws -> Measure {
    var pairs: [Pair] = []
    for number in 0..<count {
      try run.check()
      let kind = subject.against == nil ? "round" : "pair"
      run.report("\(title): \(kind) \(number + 1) of \(count)")
      pairs.append(try pair(number % 2 == 0))
    }
    return try AlternatingPairs.measure(of: subject, from: pairs)
  }

  /// The figures of pairs, which follow from their rates unless `Sample.value` is set, and their
  /// ratios as one measure.
  ///
  /// Throws if one side moved no frame at all, as no ratio means anything then.
  static func measure(of subject: Subject, from pairs: [Pair]) throws(ScenarioError) -> Measure {
    let ours = try figures(pairs.map(\.ours), of: subject, side: "ours")
    var measure = Measure(
      name: subject.name, size: subject.size, ours: ours.median, unit: subject.unit.rawValue,
      lost: pairs.reduce(0) { $0 + abs($1.ours.lost) + abs($1.theirs?.lost ?? 0) })
    measure.entries = subject.entries
    measure.batch = subject.batch
    measure.peers = subject.peers
    measure.against = subject.against
    measure.idleBreaths = Spread(pairs.compactMap(\.ours.idleShare))?.median
    let theirs = pairs.compactMap(\.theirs)
    if let spent = Spread(pairs.compactMap(\.ours.perCPUSecond)) {
      let others = Spread(theirs.compactMap(\.perCPUSecond))
      measure.perCPUSecond = .init(ours: spent.median, theirs: others?.median)
    }
    if let busy = Spread(pairs.compactMap(\.ours.busyPerFrame)) {
      let others = Spread(theirs.compactMap(\.busyPerFrame))
      measure.forwarderTime = .init(ours: busy.median, theirs: others?.median)
    }
    measure.isLessBetter = subject.unit.isLessBetter ? true : nil
    guard !theirs.isEmpty else {
      measure.range = .init(min: ours.min, max: ours.max, rounds: ours.count)
      return measure
    }
    measure.theirs = try figures(theirs, of: subject, side: subject.against ?? "theirs").median
    let ratios = pairs.compactMap { pair in
      pair.theirs.map { subject.unit.ratio(of: pair.ours, to: $0) }
    }
    if let ratio = Spread(ratios) {
      measure.ratio = .init(
        median: ratio.median, min: ratio.min, max: ratio.max, pairs: ratio.count)
    }
    return measure
  }

  private var title: String {
    var title = subject.title
    if let entries = subject.entries { title += ", \(entries) entries" }
    if let batch = subject.batch { title += ", batches of \(batch)" }
    if let peers = subject.peers { title += ", \(peers) peers" }
    if let against = subject.against { title += ", against \(against)" }
    return title
  }

  private static func figures(
    _ samples: [Sample], of subject: Subject, side: String
  ) throws(ScenarioError) -> Spread {
    let figures = samples.map { subject.unit.figure(of: $0) }
    guard let spread = Spread(figures), spread.min > 0, spread.max.isFinite else {
      throw ScenarioError(
        .failed, "\(subject.title): \(side) moved no frame, so there is nothing to compare")
    }
    return spread
  }
}

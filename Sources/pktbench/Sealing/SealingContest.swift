// SPDX-License-Identifier: Apache-2.0

/// Ours and theirs, sealing and opening packets of one kind.
struct SealingContest {
  let options: SealingStage.Options
  let plan: ScenarioPlan
  let run: ScenarioRun

  /// Packets that are timed at once.
  private static let windowLength = 128
  private static let all = 0..<SealingStage.packetCount

  /// How both sides seal, and how they open.
  func measures() throws -> [Measure] {
    var ours = try SealingStage(options)
    let theirs = plan.against.isEmpty ? nil : try SodiumTexts(options)
    // Each side's memory and code are in the caches as far as they fit when the first pair begins.
    for _ in 0..<3 {
      try prove {
        ours.seal($0)
      } open: {
        ours.open($0)
      }
      if let theirs { try prove(theirs.seal, open: theirs.open) }
    }
    guard ours.hasItsFrames() else {
      throw ScenarioError(.failed, "\(title): frames come back changed; this is a mistake in it")
    }
    return try [sealing(&ours, theirs), opening(&ours, theirs)]
  }

  private func prove(_ seal: (Range<Int>) -> Int, open: (Range<Int>) -> Int) throws {
    try demandAll(seal(Self.all), of: Self.all, "sealed")
    try demandAll(open(Self.all), of: Self.all, "opened")
  }

  private func sealing(_ ours: inout SealingStage, _ theirs: SodiumTexts?) throws -> Measure {
    let pairs = pairs("seal")
    guard let theirs else {
      return try pairs.measure(in: run) { try sealing { ours.seal($0) } }
    }
    return try pairs.measure(in: run) {
      try sealing { ours.seal($0) }
    } theirs: {
      try sealing(theirs.seal)
    }
  }

  private func opening(_ ours: inout SealingStage, _ theirs: SodiumTexts?) throws -> Measure {
    let pairs = pairs("open")
    guard let theirs else {
      return try pairs.measure(in: run) {
        try opening {
          ours.seal($0)
        } open: {
          ours.open($0)
        }
      }
    }
    return try pairs.measure(in: run) {
      try opening {
        ours.seal($0)
      } open: {
        ours.open($0)
      }
    } theirs: {
      try opening(theirs.seal, open: theirs.open)
    }
  }

  /// Seals over and over.
  private func sealing(_ seal: (Range<Int>) -> Int) throws -> Sample {
    var first = 0
    return try Passes.measure(seconds: plan.seconds, items: Self.windowLength, in: run) {
      let window = first..<first + Self.windowLength
      try demandAll(seal(window), of: window, "sealed")
      first = window.upperBound % SealingStage.packetCount
    }
  }

  /// Opens over and over what is sealed outside of the time.
  private func opening(
    _ seal: (Range<Int>) -> Int, open: (Range<Int>) -> Int
  ) throws -> Sample {
    var first = 0
    return try Passes.measure(seconds: plan.seconds, items: Self.windowLength, in: run) {
      if first == 0 { try demandAll(seal(Self.all), of: Self.all, "sealed") }
    } pass: {
      let window = first..<first + Self.windowLength
      try demandAll(open(window), of: window, "opened")
      first = window.upperBound % SealingStage.packetCount
    }
  }

  private var title: String { "\(options.form.rawValue), \(options.size) bytes" }

  /// Throws unless all packets were dealt with.
  private func demandAll(_ count: Int, of packets: Range<Int>, _ what: String) throws {
    guard count != packets.count else { return }
    throw ScenarioError(
      .failed,
      "\(title): \(count) of \(packets.count) packets were \(what); this is a mistake in it")
  }

  private func pairs(_ verb: String) -> AlternatingPairs {
    AlternatingPairs(
      subject: .init(
        name: "\(verb)-\(options.form.rawValue)", size: options.size, batch: options.batch,
        peers: options.peers, against: plan.against.first),
      count: plan.pairs)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// One of ours and one of theirs between two hosts, at one size.
struct HostContest {
  let size: Int
  let plan: ScenarioPlan
  let run: ScenarioRun
  let cores: LaboratoryCores

  /// From this size on a TCP stream is measured instead of single frames.
  static let streamSizeMin = 576

  func measure(_ ours: HostJoint, _ theirs: HostJoint?) throws -> Measure {
    let isStream = size >= Self.streamSizeMin
    let pairs = AlternatingPairs(
      subject: .init(
        name: ours.measureName, size: size, against: theirs?.name,
        unit: isStream ? .bytesPerSecond : .framesPerSecond),
      count: plan.pairs)
    let ourHosts = try JoinedHosts(ours, size: size, cores: cores, in: run)
    defer { ourHosts.close() }
    guard let theirs else {
      return try pairs.measure(in: run) { try ourHosts.sample(plan.seconds) }
    }
    let theirHosts = try JoinedHosts(theirs, size: size, cores: cores, in: run)
    defer { theirHosts.close() }
    return try pairs.measure(in: run) {
      try ourHosts.sample(plan.seconds)
    } theirs: {
      try theirHosts.sample(plan.seconds)
    }
  }
}

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
    let ourHosts = try hosts(ours)
    defer { ourHosts.close() }
    guard let theirs else {
      return try pairs.measure(in: run) { try ourHosts.sample(plan.seconds) }
    }
    let theirHosts = try hosts(theirs)
    defer { theirHosts.close() }
    return try pairs.measure(in: run) {
      try ourHosts.sample(plan.seconds)
    } theirs: {
      try theirHosts.sample(plan.seconds)
    }
  }

  private func hosts(_ joint: HostJoint) throws -> JoinedHosts {
    try JoinedHosts(joint, size: size, wireMTU: plan.wireMTU, cores: cores, in: run)
  }
}

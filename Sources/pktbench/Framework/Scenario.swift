// SPDX-License-Identifier: Apache-2.0

/// Something that can be measured, by one subcommand and one kind of scenario file.
///
/// A scenario is listed in `Scenarios.all`; the command line, the reader of scenario files, their
/// help and their checks all come from its description.
protocol Scenario: SendableMetatype {
  /// What it is called and which options it takes.
  static var description: ScenarioDescription { get }

  /// Measures everything that `plan` asks for.
  ///
  /// What it makes on the machine it registers with `run.atEnd` before it makes it, and it looks
  /// for interruptions between any two steps that take long.
  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure]
}

/// Numbers that an option takes.
struct NumberSetting: Equatable, Sendable {
  /// What is accepted.
  let range: ClosedRange<Int>
  /// What is measured if nothing is said.
  let fallback: [Int]
  /// What is counted, like `bytes` or `entries`.
  let unit: String
}

/// What there is to know about a scenario before it runs.
struct ScenarioDescription: Sendable {
  /// The subcommand, and `scenario` in a file.
  let name: String
  /// What it measures, in one sentence.
  let abstract: String
  /// How it measures and what the figures mean, in paragraphs for `--help`.
  let method: String
  /// Lengths of frames, without frame check sequence; nil if the scenario has no frames.
  var sizes: NumberSetting?
  /// Sizes of the forwarding table; nil if the scenario has no use for them.
  let entries: NumberSetting?
  /// How many packets are dealt with together; nil if the scenario has no use for it.
  var batches: NumberSetting?
  /// To how many peers they go; nil if the scenario has no use for it.
  var peers: NumberSetting?
  /// MTUs of the wire between two hosts, one of which is measured; nil if the scenario has no use
  /// for it.
  ///
  /// The longest frames, which are those of `sizes`, fit the usual one.
  var wireMTU: NumberSetting?
  /// Whom it can be compared with besides if frames are to travel encrypted; nil if they cannot.
  var competitorsOfEncrypted: [String]?
  /// Whom it can be compared with.
  let competitors: [String]
  /// Whom it is compared with if nothing is said.
  let usualCompetitors: [String]
  /// How many pairs are measured if nothing is said; rounds, without a competitor.
  let pairs: Int
  /// How long a side of a pair is measured if nothing is said.
  let seconds: Double
  /// Whether only root can run it.
  let needsRoot: Bool
}

/// The scenarios of this program; a new one is added here and nowhere else.
enum Scenarios {
  /// In the order of the help.
  static let all: [any Scenario.Type] = [
    PipelineScenario.self, TableScenario.self, PublishScenario.self, WorkersScenario.self,
    SealScenario.self, EncapScenario.self, DecapScenario.self, BridgeScenario.self,
    StreamScenario.self, SleeveScenario.self, EncryptedScenario.self, LatencyScenario.self,
    LossScenario.self, IdleScenario.self, PortsScenario.self,
  ]
}

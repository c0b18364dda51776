// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What to measure; scenario files have the same for keys.
///
/// All scenarios read all options, so that each can say what it accepts; their help shows those
/// that they take.
struct ScenarioOptions<Measured: Scenario>: ParsableArguments {
  @Option(
    name: .customLong("size"), parsing: .upToNextOption,
    help: Self.help(
      "Bytes of a frame, without frame check sequence; each is measured.", "bytes",
      if: Measured.description.sizes != nil))
  var sizes: [Int] = []

  @Option(
    parsing: .upToNextOption,
    help: Self.help(
      "Entries of the forwarding table; each is measured.", "count",
      if: Measured.description.entries != nil))
  var entries: [Int] = []

  @Option(
    name: .customLong("batch"), parsing: .upToNextOption,
    help: Self.help(
      "Packets dealt with together; each is measured.", "count",
      if: Measured.description.batches != nil))
  var batches: [Int] = []

  @Option(
    parsing: .upToNextOption,
    help: Self.help(
      "Peers that packets go to; each is measured.", "count", if: Measured.description.peers != nil)
  )
  var peers: [Int] = []

  @Option(
    name: .customLong("wire-mtu"),
    help: Self.help(
      "The MTU of the wire between the hosts.", "bytes", if: Measured.description.wireMTU != nil))
  var wireMTU: Int?

  @Flag(
    help: Self.help(
      "Ours sends VXLAN in ESP instead of plain VXLAN.", nil,
      if: Measured.description.competitorsOfEncrypted != nil))
  var encrypted = false

  @Option(
    parsing: .upToNextOption,
    help: Self.help(
      "Whom to compare with, in turn; none measures ours alone.", "name",
      if: !Measured.description.competitors.isEmpty))
  var against: [String] = []

  @Option(help: ArgumentHelp("Pairs of ours and theirs; rounds, alone.", valueName: "count"))
  var pairs: Int?

  @Option(help: ArgumentHelp("How long each side of a pair is measured.", valueName: "seconds"))
  var seconds: Double?

  /// The help of an option that only some scenarios have.
  private static func help(
    _ text: String, _ valueName: String?, if isThere: Bool
  ) -> ArgumentHelp {
    ArgumentHelp(text, valueName: valueName, visibility: isThere ? .default : .hidden)
  }

  /// What was said, without what was not.
  var wishes: ScenarioWishes {
    ScenarioWishes(
      sizes: sizes.isEmpty ? nil : sizes, entries: entries.isEmpty ? nil : entries,
      batches: batches.isEmpty ? nil : batches, peers: peers.isEmpty ? nil : peers,
      wireMTU: wireMTU, isEncrypted: encrypted ? true : nil,
      against: against.isEmpty ? nil : against == ["none"] ? [] : against, pairs: pairs,
      seconds: seconds)
  }
}

/// What happens with the results.
struct ResultOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write the results to this file as JSON; - is standard output, without the table.",
      valueName: "file"))
  var json: String?

  @Flag(help: "Write no progress to standard error.")
  var quiet = false
}

/// `pktbench SCENARIO`: runs the scenario with what the command line says.
struct ScenarioCommand<Measured: Scenario>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: Measured.description.name, abstract: Measured.description.abstract,
      discussion: Measured.description.discussion)
  }

  @OptionGroup(title: "What to measure") var options: ScenarioOptions<Measured>
  @OptionGroup(title: "Results") var results: ResultOptions

  func validate() throws { _ = try plan() }

  func run() throws {
    try ScenarioRunner(
      scenario: Measured.self, plan: try plan(),
      destination: results.json.map(ReportDestination.init(argument:)), isQuiet: results.quiet
    ).run()
  }

  private func plan() throws -> ScenarioPlan {
    do throws(OptionProblems) {
      return try Measured.description.plan(for: options.wishes)
    } catch {
      throw ValidationError(error.commandLineText)
    }
  }
}

extension OptionProblems {
  /// A line for each problem.
  var commandLineText: String {
    problems.map { "--\($0.option): \($0.message); accepted: \($0.accepted)" }
      .joined(separator: "\n")
  }
}

extension ScenarioDescription {
  /// The help's text: how it measures, what the options take.
  var discussion: String {
    let numbers = { (numbers: [Int]) in numbers.map(String.init).joined(separator: " ") }
    var lines = ["VALUES"]
    for (option, setting) in [
      ("size   ", sizes), ("entries", entries), ("batch  ", batches), ("peers  ", peers),
    ] {
      guard let setting else { continue }
      lines.append("  --\(option)  \(setting.accepted); usual: \(numbers(setting.fallback))")
    }
    if let wireMTU {
      lines.append(
        "  --wire-mtu \(accepted("wire-mtu")); usual: \(numbers(wireMTU.fallback))")
    }
    if competitorsOfEncrypted != nil {
      lines.append("  --encrypted  ours is VXLAN in ESP; usual: plain VXLAN")
    }
    let usual = usualCompetitors.isEmpty ? "none" : usualCompetitors.joined(separator: " ")
    if !competitors.isEmpty {
      lines.append("  --against  \(accepted("against")); usual: \(usual)")
    }
    lines += [
      "  --pairs    \(accepted("pairs")); usual: \(pairs)",
      "  --seconds  \(accepted("seconds")); usual: \(seconds)",
    ]
    return [method, lines.joined(separator: "\n"), ExitStatus.help].joined(separator: "\n\n")
  }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What to measure; every scenario takes these, each with its own values.
struct ScenarioOptions: ParsableArguments {
  @Option(
    name: .customLong("size"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Bytes of a frame, without frame check sequence; each is measured.", valueName: "bytes"))
  var sizes: [Int] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Entries of the forwarding table; each is measured.", valueName: "count"))
  var entries: [Int] = []

  @Option(
    name: .customLong("batch"), parsing: .upToNextOption,
    help: ArgumentHelp("Packets dealt with together; each is measured.", valueName: "count"))
  var batches: [Int] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Peers that packets go to; each is measured.", valueName: "count"))
  var peers: [Int] = []

  @Flag(help: "Ours sends VXLAN in ESP instead of plain VXLAN.")
  var encrypted = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Whom to compare with, in turn; none measures ours alone.", valueName: "name"))
  var against: [String] = []

  @Option(help: ArgumentHelp("Pairs of ours and theirs; rounds, alone.", valueName: "count"))
  var pairs: Int?

  @Option(help: ArgumentHelp("How long each side of a pair is measured.", valueName: "seconds"))
  var seconds: Double?

  /// What was said, without what was not.
  var wishes: ScenarioWishes {
    ScenarioWishes(
      sizes: sizes.isEmpty ? nil : sizes, entries: entries.isEmpty ? nil : entries,
      batches: batches.isEmpty ? nil : batches, peers: peers.isEmpty ? nil : peers,
      isEncrypted: encrypted ? true : nil,
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

  @OptionGroup(title: "What to measure") var options: ScenarioOptions
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
    if competitorsOfEncrypted != nil {
      lines.append("  --encrypted  ours is VXLAN in ESP; usual: plain VXLAN")
    }
    let usual = usualCompetitors.isEmpty ? "none" : usualCompetitors.joined(separator: " ")
    lines += [
      "  --against  \(accepted("against")); usual: \(usual)",
      "  --pairs    \(accepted("pairs")); usual: \(pairs)",
      "  --seconds  \(accepted("seconds")); usual: \(seconds)",
    ]
    return [method, lines.joined(separator: "\n"), ExitStatus.help].joined(separator: "\n\n")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Node

/// What somebody asked of a scenario, on the command line or in a file; nil where nothing was said.
struct ScenarioWishes: Equatable, Sendable {
  var sizes: [Int]?
  var entries: [Int]?
  var batches: [Int]?
  var peers: [Int]?
  var wireMTU: Int?
  /// Whether frames are to travel encrypted.
  var isEncrypted: Bool?
  /// Competitors; empty to measure ours alone.
  var against: [String]?
  var pairs: Int?
  var seconds: Double?
}

/// What a scenario is to measure: wishes that were checked, and its own values for the rest.
struct ScenarioPlan: Equatable, Sendable {
  /// Bytes of a frame, without frame check sequence; empty if the scenario has no frames.
  var sizes: [Int]
  /// Entries of the forwarding table; empty if the scenario has no use for them.
  var entries: [Int]
  /// Packets that are dealt with together; empty if the scenario has no use for it.
  var batches: [Int] = []
  /// Peers that packets go to; empty if the scenario has no use for it.
  var peers: [Int] = []
  /// The MTU of the wire between two hosts, where there are two.
  var wireMTU = TwoHosts.usualWireMTU
  /// Whether frames travel encrypted, which only some scenarios can have.
  var isEncrypted = false
  /// Competitors; empty to measure ours alone.
  var against: [String]
  /// Pairs to measure in turn; rounds, without a competitor.
  var pairs: Int
  /// How long each side of a pair is measured.
  var seconds: Double
}

/// Why a wish cannot be granted.
struct OptionProblem: Error, Equatable {
  /// The option's name without dashes, which is also the key in a file.
  let option: String
  /// What is wrong.
  let message: String
  /// What would have been right.
  let accepted: String
}

/// Everything that is wrong with a scenario's options.
struct OptionProblems: Error, Equatable {
  /// At least one.
  let problems: [OptionProblem]
}

extension ScenarioDescription {
  /// Pairs that can be asked for.
  static let pairsRange = 1...101
  /// Seconds that can be asked for.
  static let secondsRange = 0.001...60.0
  /// Values that one option takes at most.
  static let valuesMax = 16

  /// The plan for these wishes; throws everything that is wrong with them at once.
  func plan(for wishes: ScenarioWishes) throws(OptionProblems) -> ScenarioPlan {
    try over(wireMTU: wishes.wireMTU).checked(wishes)
  }

  /// The same over a wire of another MTU than the usual one, whose longest frames are others.
  private func over(wireMTU: Int?) -> ScenarioDescription {
    guard let wireMTU, let setting = self.wireMTU, setting.range.contains(wireMTU),
      let usual = setting.fallback.first, let sizes
    else { return self }
    let longest = sizes.range.upperBound
    let other = longest + wireMTU - usual
    var description = self
    description.sizes = NumberSetting(
      range: sizes.range.lowerBound...other,
      fallback: sizes.fallback.map { $0 == longest ? other : $0 }, unit: sizes.unit)
    return description
  }

  private func checked(_ wishes: ScenarioWishes) throws(OptionProblems) -> ScenarioPlan {
    var problems: [OptionProblem] = []
    func add(_ option: String, _ message: String?) {
      guard let message else { return }
      problems.append(
        OptionProblem(option: option, message: message, accepted: accepted(option)))
    }
    for (option, wished) in [
      ("size", wishes.sizes), ("entries", wishes.entries), ("batch", wishes.batches),
      ("peers", wishes.peers), ("wire-mtu", wishes.wireMTU.map { [$0] }),
    ] {
      guard let wished else { continue }
      let setting = setting(option)
      add(option, setting.map { problem(wished, in: $0) } ?? "\(name) has no such option")
    }
    let isEncrypted = wishes.isEncrypted ?? false
    let others = isEncrypted ? competitorsOfEncrypted ?? [] : []
    if isEncrypted, competitorsOfEncrypted == nil {
      add("encrypted", "\(name) has no such option")
    }
    add("against", wishes.against.flatMap { problem($0, among: competitors + others) })
    let pairs = wishes.pairs ?? self.pairs
    add("pairs", Self.pairsRange.contains(pairs) ? nil : "\(pairs) is out of range")
    let seconds = wishes.seconds ?? self.seconds
    add("seconds", Self.secondsRange.contains(seconds) ? nil : "\(seconds) is out of range")
    guard problems.isEmpty else { throw OptionProblems(problems: problems) }
    return ScenarioPlan(
      sizes: wishes.sizes ?? sizes?.fallback ?? [],
      entries: wishes.entries ?? entries?.fallback ?? [],
      batches: wishes.batches ?? batches?.fallback ?? [],
      peers: wishes.peers ?? peers?.fallback ?? [],
      wireMTU: wishes.wireMTU ?? wireMTU?.fallback.first ?? TwoHosts.usualWireMTU,
      isEncrypted: isEncrypted,
      against: wishes.against ?? others + usualCompetitors, pairs: pairs, seconds: seconds)
  }

  /// The numbers that an option of this scenario takes; nil if it has no such option.
  private func setting(_ option: String) -> NumberSetting? {
    switch option {
    case "size": sizes
    case "entries": entries
    case "batch": batches
    case "wire-mtu": wireMTU
    default: peers
    }
  }

  /// What an option of this scenario takes, in words.
  func accepted(_ option: String) -> String {
    switch option {
    case "size": sizes?.accepted ?? "no lengths of frames for \(name)"
    case "entries": entries?.accepted ?? "no table sizes for \(name)"
    case "batch": batches?.accepted ?? "no lengths of batches for \(name)"
    case "peers": peers?.accepted ?? "no numbers of peers for \(name)"
    case "wire-mtu":
      wireMTU.map { "one number of \($0.unit) \($0.interval)" } ?? "no wire's MTU for \(name)"
    case "encrypted": competitorsOfEncrypted != nil ? "true or false" : "no encryption for \(name)"
    case "against":
      competitors.isEmpty
        ? "none, as \(name) has no competitor"
        : listed(competitors + ["none"], "or")
          + (competitorsOfEncrypted.map { "; with --encrypted \(listed($0, "or"))" } ?? "")
    case "pairs":
      "a whole number from \(Self.pairsRange.lowerBound) to \(Self.pairsRange.upperBound)"
    default:
      "a number from \(Self.secondsRange.lowerBound) to \(Int(Self.secondsRange.upperBound))"
    }
  }

  private func problem(_ numbers: [Int], in setting: NumberSetting) -> String? {
    if numbers.isEmpty { return "no number is given" }
    if numbers.count > Self.valuesMax { return "\(numbers.count) numbers are too many" }
    if let number = numbers.first(where: { !setting.range.contains($0) }) {
      return "\(number) is too \(number < setting.range.lowerBound ? "small" : "large")"
    }
    let repeated = numbers.enumerated().first { numbers[..<$0.offset].contains($0.element) }
    return repeated.map { "\($0.element) is given twice" }
  }

  private func problem(_ names: [String], among competitors: [String]) -> String? {
    for (index, name) in names.enumerated() {
      if names[..<index].contains(name) { return "\(Quoted.text(name)) is given twice" }
      guard !competitors.contains(name) else { continue }
      let nearest = nearestWord(to: name, among: competitors)
      let hint = nearest.map { "; did you mean \($0)?" } ?? ""
      return "\(Quoted.text(name)) is not a competitor of \(self.name)\(hint)"
    }
    return nil
  }
}

extension NumberSetting {
  /// The numbers it takes, in words.
  var accepted: String {
    "up to \(ScenarioDescription.valuesMax) numbers of \(unit) \(interval)"
  }

  /// From the least to the greatest.
  var interval: String {
    "from \(range.lowerBound) to \(range.upperBound)"
  }
}

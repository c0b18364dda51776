// SPDX-License-Identifier: Apache-2.0

/// What a configuration is checked against that only the machine knows.
package struct MachineFacts: Equatable, Sendable {
  /// The cores that are online, by the kernel's numbers.
  package let cores: Set<Int>
  /// The names of the network interfaces.
  package let interfaces: [String]

  /// Describes a machine.
  package init(cores: Set<Int>, interfaces: [String]) {
    self.cores = cores
    self.interfaces = interfaces
  }
}

extension Configuration {
  /// Throws everything that cannot work on this machine.
  package func validate(against machine: MachineFacts) throws(ConfigurationErrors) {
    var issues = ConfigurationIssues(file: origin.file)
    check(against: machine, into: &issues)
    if let errors = issues.errors() { throw errors }
  }

  /// Notes everything that cannot work on this machine; what the reader refused is left out.
  func check(against machine: MachineFacts, into issues: inout ConfigurationIssues) {
    if !underlay.interface.isEmpty, !machine.interfaces.contains(underlay.interface) {
      let nearest = nearestWord(to: underlay.interface, among: machine.interfaces)
      let hint = nearest.map { "; did you mean \(Quoted.text($0))?" } ?? ""
      issues.add(
        line: origin.interfaceLine, key: ConfigurationSettings.interface.key.dottedName,
        "interface \(Quoted.text(underlay.interface)) does not exist\(hint)",
        accepted: interfaceList(machine.interfaces))
    }
    for core in workers.cores ?? [] where !machine.cores.contains(core) {
      issues.add(
        line: origin.coreLines[core], key: ConfigurationSettings.cores.key.dottedName,
        "core \(core) does not exist", accepted: rangeList(machine.cores))
    }
  }
}

/// Numbers as people write them down: `0 to 3, 6`.
private func rangeList(_ numbers: Set<Int>) -> String {
  var ranges: [ClosedRange<Int>] = []
  for number in numbers.sorted() {
    if let last = ranges.last, last.upperBound + 1 == number {
      ranges[ranges.count - 1] = last.lowerBound...number
    } else {
      ranges.append(number...number)
    }
  }
  return ranges.map { range in
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }.joined(separator: ", ")
}

/// The first interfaces by name; a host of containers has hundreds.
private func interfaceList(_ names: [String]) -> String {
  let sorted = names.sorted()
  let shown = sorted.prefix(12).map(Quoted.text).joined(separator: ", ")
  return sorted.count > 12 ? "\(shown) and \(sorted.count - 12) more" : shown
}

// SPDX-License-Identifier: Apache-2.0

package import HostNetwork
package import Inet

/// What a configuration is checked against that only the machine knows.
package struct MachineFacts: Equatable, Sendable {
  /// The cores that weftd may use, by the kernel's numbers.
  package var cores: Set<Int>
  /// The names of the network interfaces.
  package let interfaces: [String]
  /// The IPv4 addresses of each interface that has some.
  package let addresses: [String: [IPv4Address]]
  /// Where something on this host takes UDP already.
  package var udpReceivers: [UDPReceiver]

  /// Describes a machine.
  package init(
    cores: Set<Int>, interfaces: [String], addresses: [String: [IPv4Address]] = [:],
    udpReceivers: [UDPReceiver] = []
  ) {
    self.cores = cores
    self.interfaces = interfaces
    self.addresses = addresses
    self.udpReceivers = udpReceivers
  }

  /// What was found on this machine.
  package init(_ machine: Machine) {
    self.init(
      cores: Set(machine.cores), interfaces: machine.interfaces, addresses: machine.addresses,
      udpReceivers: machine.udpReceivers)
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
    if let interface = underlay.interface, !machine.interfaces.contains(interface) {
      let nearest = nearestWord(to: interface, among: machine.interfaces)
      let hint = nearest.map { "; did you mean \(Quoted.text($0))?" } ?? ""
      issues.add(
        line: origin.interfaceLine, key: ConfigurationSettings.interface.key.dottedName,
        "interface \(Quoted.text(interface)) does not exist\(hint)",
        accepted: interfaceList(machine.interfaces))
    }
    for core in workers.cores ?? [] where !machine.cores.contains(core) {
      issues.add(
        line: origin.coreLines[core], key: ConfigurationSettings.cores.key.dottedName,
        "core \(core) does not exist", accepted: rangeList(machine.cores))
    }
    checkPort(against: machine, into: &issues)
    checkEndpoints(against: machine, into: &issues)
    if hasMesh { checkMesh(against: machine, into: &issues) }
  }

  /// Our program would take the packets of whoever receives at the port already.
  ///
  /// Without an endpoint nothing of ours comes there.
  private func checkPort(against machine: MachineFacts, into issues: inout ConfigurationIssues) {
    guard !vteps.isEmpty else { return }
    // Packets for any address of this host may arrive in some way, at least at sockets.
    let ours = underlay.interface.map { machine.addresses[$0] ?? [] }
    let taken = machine.udpReceivers.filter {
      $0.port == underlay.vxlanPort
        && ($0.address.bits == 0 || ours?.contains($0.address) != false)
    }
    guard let first = taken.map(\.address).min() else { return }
    issues.add(
      line: origin.vxlanPortLine, key: ConfigurationSettings.vxlanPort.key.dottedName,
      "UDP port \(underlay.vxlanPort) is in use: something on this host receives at \(first)",
      accepted:
        "a port that is free on \(underlay.interface ?? "this host"), the same on all hosts; "
        + "`ss -ulpn` shows who has it (nobody: a VXLAN device of the kernel, see "
        + "`ip -d link show type vxlan`)")
  }

  private func checkEndpoints(
    against machine: MachineFacts, into issues: inout ConfigurationIssues
  ) {
    for (name, addresses) in machine.addresses.sorted(by: { $0.key < $1.key }) {
      for address in addresses {
        guard let line = origin.vtepLines[address] else { continue }
        issues.add(
          line: line, key: ConfigurationSettings.address.key.dottedName,
          "\(address) is this host's own address, on \(name)",
          accepted: ConfigurationSettings.address.key.accepted)
      }
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

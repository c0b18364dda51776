// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
package import HostNetwork

/// A configuration file, and the cores that it may name.
package struct ConfigurationFile: Sendable {
  private let path: String
  /// Those of the process's start: later it keeps to the ones that the workers leave it.
  private let cores: [Int]

  /// Names the file for a machine as it was found at start.
  package init(path: String, machine: Machine) {
    self.path = path
    cores = machine.cores
  }

  /// Reads and checks the file against the machine as it is now.
  ///
  /// A daemon that serves already names its ports: whoever else receives there is no reason to
  /// refuse it other changes. `isServed` if another one serves this host, which has the ports of
  /// the file, most likely, and is told of elsewhere. The error's description has a line for each
  /// mistake.
  package func read(
    whileServing ports: Set<UInt16> = [], isServed: Bool = false
  ) throws(DaemonError) -> Configuration {
    let machine: Machine
    do { machine = try Machine() } catch { throw DaemonError(.failed, error.description) }
    var facts = MachineFacts(machine)
    facts.cores = Set(cores)
    facts.udpReceivers.removeAll { isServed || ports.contains($0.port) }
    do {
      return try Configuration.load(
        path: path, against: facts, environment: ProcessInfo.processInfo.environment)
    } catch {
      throw DaemonError(.configuration, "\(error)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// What weftd knows is not to be found in files that a crash leaves.
  @Suite struct CoreDumpTests {
    /// A group that is nobody's: the kernel gives the files in `/proc` of a process that may be
    /// dumped to its user and group, and those of others to root.
    private let group: Int = 65534

    @Test(.timeLimit(.minutes(5))) func memoryOfTheDaemonIsInNoDump() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        let alien = words(
          "prlimit --core=unlimited:unlimited setpriv --regid=\(group) --clear-groups")
        let command = alien + [try Programs.weftd, "--config", bed.a.configFile]
        let daemon = try RunningProcess(bed.a.namespace.command(command))
        try daemon.expect("notice ready ")
        let other = try RunningProcess(alien + words("sleep 60"))
        try eventually("sleep runs in its group") { try owner(of: other) == group }

        #expect(try owner(of: daemon) == 0)
        #expect(try coreLimits(of: daemon) == ["0", "0"])
        // Nothing that it does itself needs what it may no longer do.
        #expect(try bed.a.status().endpoints.count == 1)
        daemon.send(SIGHUP)
        try daemon.expect("reloaded changed=nothing")
        #expect(daemon.stop() == 0, "\(daemon.errors)")
        other.stop(with: SIGKILL)
      }
    }

    /// The group that its environment, for one, belongs to.
    private func owner(of process: RunningProcess) throws -> Int? {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: "/proc/\(process.id)/environ")
      return (attributes[.groupOwnerAccountID] as? NSNumber)?.intValue
    }

    /// The soft and the hard limit of core dumps, in bytes.
    private func coreLimits(of process: RunningProcess) throws -> [String] {
      let text = try String(contentsOfFile: "/proc/\(process.id)/limits", encoding: .utf8)
      let name = "Max core file size"
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
      return line?.dropFirst(name.count).split(separator: " ").prefix(2).map(String.init) ?? []
    }
  }
}

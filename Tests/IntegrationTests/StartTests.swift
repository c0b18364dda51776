// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// How weftd is started, and how it refuses to: an exit code and a sentence.
  @Suite struct StartTests {
    /// `sysexits.h`.
    private static let unavailable: Int32 = 69
    private static let permission: Int32 = 77
    private static let configuration: Int32 = 78

    @Test(.timeLimit(.minutes(5))) func checkAcceptsAGoodFile() throws {
      try Testbed.run(containers: 0) { bed in
        let outcome = try attempt(try bed.a.weftdCommand("--check", bed.a.configFile))
        #expect(outcome.status == 0, "\(outcome)")
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["--check", "--config"])
    func unknownKeyIsNamed(option: String) throws {
      try Testbed.run(containers: 0) { bed in
        let text = bed.a.config(top: "log_levle = \"info\"")
        let file = try bed.a.writeConfig(text, name: "typing-error.toml")
        let outcome = try attempt(try bed.a.weftdCommand(option, file))
        #expect(outcome.status == Self.configuration, "\(outcome)")
        let told = outcome.errorLines.filter { $0.contains("log_levle") }
        #expect(told.count == 1, "\(outcome)")
        #expect(told.first?.contains("typing-error.toml:1") == true, "\(outcome)")
      }
    }

    @Test(.timeLimit(.minutes(5))) func missingFileIsNamed() throws {
      try Testbed.run(containers: 0) { bed in
        let outcome = try attempt(try bed.a.weftdCommand("--config", "\(bed.a.configFile).absent"))
        #expect([66, Self.configuration].contains(outcome.status), "\(outcome)")
        let told = outcome.errorLines.filter { $0.contains("weftd.toml.absent") }
        #expect(told.count == 1, "\(outcome)")
      }
    }

    @Test(.timeLimit(.minutes(5))) func missingInterfaceIsNamed() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        let text = bed.a.config(interface: "nowhere0")
        let file = try bed.a.writeConfig(text, name: "missing-interface.toml")
        let outcome = try attempt(try bed.a.weftdCommand("--config", file))
        #expect(
          [Self.unavailable, Self.configuration].contains(outcome.status), "\(outcome)")
        #expect(outcome.errorLines.filter { $0.contains("nowhere0") }.count == 1, "\(outcome)")
        #expect(try bed.a.namespace.interfaces() == ["eth0"])
        #expect(!FileManager.default.fileExists(atPath: bed.a.socket))
      }
    }

    @Test(.timeLimit(.minutes(5))) func withoutRootItSaysSo() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        // The build folder may be closed to other users.
        let copy = bed.a.folder.appendingPathComponent("weftd")
        try FileManager.default.copyItem(
          at: URL(fileURLWithPath: try Programs.weftd).resolvingSymlinksInPath(), to: copy)
        let other = words("setpriv --reuid=65534 --regid=65534 --clear-groups")
        let outcome = try attempt(
          bed.a.namespace.command(other + [copy.path, "--config", bed.a.configFile]))
        #expect(outcome.status == Self.permission, "\(outcome)")
        #expect(outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains("root"), "\(outcome)")
        #expect(try bed.a.namespace.interfaces() == ["eth0"])
      }
    }

    @Test(.timeLimit(.minutes(5))) func secondDaemonOfAHostIsRefusedAndTheFirstGoesOn() throws {
      try Testbed.run(containers: 1) { bed in
        let outcome = try attempt(try bed.a.weftdCommand("--config", bed.a.configFile))
        #expect(outcome.status == Self.unavailable, "\(outcome)")
        #expect(outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains("another weftd"), "\(outcome)")
        try expectService(bed)
      }
    }

    @Test(.timeLimit(.minutes(5))) func secondDaemonOnASocketIsRefusedAndTheFirstGoesOn() throws {
      try Testbed.run(containers: 1) { bed in
        let other = try TestHost(.b)
        try other.namespace.ip("link add eth0 type veth peer name wire0")
        try other.namespace.ip("address add \(other.place.address)/24 dev eth0")
        try other.namespace.ip("link set eth0 up")
        try other.writeConfig(other.config().replacing(other.socket, with: bed.a.socket))
        let outcome = try attempt(try other.weftdCommand("--config", other.configFile))
        #expect(outcome.status == Self.unavailable, "\(outcome)")
        let told = "api.socket: another weftd answers on \(bed.a.socket)"
        #expect(outcome.errorLines.filter { $0.contains(told) }.count == 1, "\(outcome)")
        #expect(try other.namespace.interfaces() == ["eth0", "wire0"])
        try expectService(bed)
      }
    }

    private func expectService(_ bed: Testbed) throws {
      #expect(try bed.a.attachments().map(\.state) == ["attached"])
      try bed.containersOfA[0].ping(bed.containersOfB[0])
    }

    @Test(.timeLimit(.minutes(5))) func commandWithoutDaemonSaysThatItDoesNotAnswer() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        let outcome = try bed.a.ask(["status"])
        #expect(outcome.status == Self.unavailable, "\(outcome)")
        #expect(outcome.errorLines.count == 1, "\(outcome)")
      }
    }
  }
}

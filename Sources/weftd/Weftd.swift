// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dispatch
import Foundation
import HostNetwork
import Logging
import Node
import Synchronization

// The daemon's command line: read it, read the file, run, and exit with a status that says why.
// Everything that happens in between is `Daemon`'s, in module Node.

/// `weftd`: one host of the overlay.
@main
struct Weftd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weftd",
    abstract: "Joins the containers of this host to those of other hosts, as one Ethernet.",
    discussion: """
      Runs in the foreground and logs one line for each event to standard error. SIGTERM or SIGINT
      stops it cleanly: containers' interfaces, programs and sockets are removed, unless the file
      says attachments.on_stop = "keep". If it is killed, containers stay attached, the host's own
      network goes on, and the next start takes everything over.

      SIGHUP has it read the file again, and the files with passwords. Endpoints, faults, peers,
      passwords and mesh.rekey_seconds, log_level, overlay.mtu and attachments.on_stop change
      without a frame lost on the way; the log names keys that need a restart. If there are
      mistakes, they are logged and everything stays as it was.

      It leaves no core dumps, so that no secret gets into one.

      EXAMPLES
        weftd --check weft.toml      check a file and say everything that is wrong with it
        weftd --config weft.toml     run

      ENVIRONMENT
        WEFT_PASSWORD, WEAVE_PASSWORD
            the mesh's secret, if there is a mesh and mesh.password_file does not name a file; the
            first that is not empty counts. To change it without a restart, it has to be in a file

      EXIT STATUS
        0   stopped as asked, or the checked file is right
        1   failed for a reason that is not the user's to mend
        64  the command line is wrong
        69  this host cannot serve: another weftd runs here, or api.socket cannot be made
        77  not root
        78  the configuration file is wrong, or names what this host does not have

      SEE ALSO
        weft(1) attaches containers and shows status. docs/configuration.md lists every key.
      """,
    version: Daemon.version)

  @Option(help: ArgumentHelp("Run with this configuration file.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Check this file, report every error, exit.", valueName: "file"))
  var check: String?

  /// Before the file and its secrets are read, and before there is another thread.
  static func main() {
    Machine.forbidDumps()
    main(nil)
  }

  func validate() throws {
    guard (config == nil) != (check == nil) else {
      throw ValidationError("give either --config FILE or --check FILE")
    }
  }

  func run() throws {
    do {
      if let check {
        _ = try load(check)
        print("\(check): right")
      } else if let config {
        try serve(config)
      }
    } catch let error as DaemonError {
      let lines = error.description.split(separator: "\n").map { "weftd: \($0)\n" }
      FileHandle.standardError.write(Data(lines.joined().utf8))
      throw ArgumentParser.ExitCode(error.code.rawValue)
    }
  }

  private func load(
    _ path: String
  ) throws(DaemonError) -> (Configuration, ConfigurationFile, Machine) {
    let machine: Machine
    do { machine = try Machine() } catch { throw DaemonError(.failed, error.description) }
    let file = ConfigurationFile(path: path, machine: machine)
    return (try file.read(isServed: HostClaim.isTaken), file, machine)
  }

  private func serve(_ path: String) throws {
    Machine.holdHangups()
    Machine.raiseOpenFileLimit()
    let (configuration, file, machine) = try load(path)
    guard Machine.isRoot else {
      throw DaemonError(
        .permission, "it needs to be root, to make interfaces and load programs; start it as root")
    }
    let threshold = LogThreshold(configuration.logLevel)
    let logger = Logger(label: "weftd") { _ in
      LineLogHandler(threshold: threshold) { FileHandle.standardError.write(Data($0.utf8)) }
    }
    let daemon = Daemon(
      configuration: configuration, file: file, machine: machine, logger: logger,
      threshold: threshold)
    daemon.leaveCoresToWorkers(machine)
    try wait(for: daemon)
  }

  /// Runs the daemon to its end; only from here on are there other threads.
  private func wait(for daemon: Daemon) throws {
    let done = DispatchSemaphore(value: 0)
    let outcome = Mutex<DaemonError?>(nil)
    Task {
      do throws(DaemonError) { try await daemon.run() } catch { outcome.withLock { $0 = error } }
      done.signal()
    }
    done.wait()
    if let error = outcome.withLock({ $0 }) { throw error }
  }
}

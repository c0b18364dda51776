// SPDX-License-Identifier: Apache-2.0

internal import ControlAPI
internal import ControlPlane
internal import Dataplane
internal import Forwarding
package import HostNetwork
internal import Inet
package import Logging
internal import Routing
internal import ServiceLifecycle
internal import UnixSignals

/// A running weftd.
package struct Daemon: Sendable {
  /// The version `--version` prints.
  package static var version: String { Version.text }

  private let configuration: Configuration
  private let file: ConfigurationFile
  private let cores: [Int]
  private let coresLeft: [Int]
  private let logger: Logger
  private let threshold: LogThreshold

  /// Settles which cores the workers get.
  ///
  /// Nothing is touched yet.
  ///
  /// Without a list in the file it is all cores but the first, at least one. Where the underlay may
  /// go through AF_XDP it is no more than it has queues: a worker without a queue has others carry
  /// its frames, which costs a copy. UDP sockets are as many as there are workers, of which there
  /// are four at most: each has a socket with rings at every container's port, too.
  ///
  /// `file` is read again at each SIGHUP; `threshold` is the one that `logger` writes by.
  package init(
    configuration: Configuration, file: ConfigurationFile, machine: Machine, logger: Logger,
    threshold: LogThreshold
  ) {
    self.configuration = configuration
    self.file = file
    self.logger = logger
    self.threshold = threshold
    let underlay = configuration.underlay
    let queueCount = underlay.mode == .socket ? nil : underlay.interface.map(machine.queueCount)
    let cores =
      configuration.workers.cores ?? Daemon.usualCores(of: machine.cores, queueCount: queueCount)
    self.cores = cores
    coresLeft = machine.cores.filter { !cores.contains($0) }
  }

  /// The workers' cores if the file names none; `queueCount` is the underlay's if it may go through
  /// AF_XDP.
  static func usualCores(of cores: [Int], queueCount: Int?) -> [Int] {
    let others = cores.count > 1 ? cores.dropFirst() : cores[...]
    return Array(others.prefix(min(max(queueCount ?? 4, 1), Engine.workerCountMax)))
  }

  /// Keeps this thread, and every one it will start, off the workers' cores; called before anything
  /// else runs, so that a worker that never sleeps starves nobody.
  ///
  /// If the workers have all cores, nobody is kept off any.
  package func leaveCoresToWorkers(_ machine: Machine) {
    if !coresLeft.isEmpty { machine.restrict(to: coresLeft) }
  }

  /// Runs until SIGTERM or SIGINT; SIGHUP has it read its file again.
  ///
  /// Whatever happens, nothing is left behind that a file in the configuration did not ask to
  /// keep.
  package func run() async throws(DaemonError) {
    warnIfNoCoreIsLeft()
    let claim = try claimHost()
    defer { withExtendedLifetime(claim) {} }
    let control = try await startControlPlane()
    logger.notice("workers", metadata: ["count": "\(cores.count)", "cores": "\(coreList)"])
    let server = ControlServer(
      ControlPlaneService(control: control), socketPath: configuration.api.socket, logger: logger
    ) { [logger, configuration] in
      logger.notice("ready", metadata: ["socket": "\(configuration.api.socket)"])
    }
    var group = ServiceGroupConfiguration(
      services: [server, reloader(control)], gracefulShutdownSignals: [.sigterm, .sigint],
      logger: quiet)
    group.maximumGracefulShutdownDuration = .seconds(12)
    do {
      try await server.prepare()
      try await ServiceGroup(configuration: group).run()
    } catch {
      await control.abandon()
      throw DaemonError(.unavailable, "the API cannot be served at api.socket: \(error)")
    }
    await control.stop()
  }

  private func reloader(_ control: ControlPlane) -> Reloader {
    Reloader(
      configuration: configuration, logger: logger, threshold: threshold,
      read: { [file] (running) throws(DaemonError) in
        try file.read(whileServing: running.udpPorts)
      },
      apply: { await control.reload(controlOptions($0)) })
  }

  private func warnIfNoCoreIsLeft() {
    guard coresLeft.isEmpty, configuration.workers.idle == .spin else { return }
    logger.warning(
      "workers that never sleep have all cores; leave one out of workers.cores for everything else",
      metadata: ["cores": "\(coreList)"])
  }

  private var coreList: String { cores.map { "\($0)" }.joined(separator: ",") }

  /// The service group's own chatter is not an event for the operator.
  private var quiet: Logger {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .error)
    return quiet
  }

  private func claimHost() throws(DaemonError) -> ClaimHolder {
    do {
      guard let claim = try HostClaim() else {
        throw DaemonError(
          .unavailable,
          "another weftd serves this host's network; stop it first, or start this one in a network"
            + " namespace of its own")
      }
      return ClaimHolder(claim)
    } catch let error as DaemonError {
      throw error
    } catch {
      throw DaemonError(.unavailable, "\(error)")
    }
  }

  private func startControlPlane() async throws(DaemonError) -> ControlPlane {
    let started: ControlPlane
    do {
      let memory = try SnapshotMemory(
        pageCount: 65_536, entryCountMax: ControlPlane.stationCountMax)
      var limits = ForwardingModel.Options()
      limits.stationCountMax = ControlPlane.stationCountMax
      let model = try ForwardingModel(
        memory: memory, seed: UInt64.random(in: .min ... .max), options: limits)
      let engine = try Engine(options: engineOptions, snapshot: memory)
      let adapter = EngineAdapter(
        engine: engine, snapshot: memory, configuration: configuration)
      let clock = ContinuousClock()
      let beginning = clock.now
      started = try ControlPlane(
        options: controlOptions(configuration), engine: adapter, model: model, logger: logger,
        random: SystemRandomNumberGenerator(),
        openTransport: Daemon.transport(
          logger, connectionCountMax: configuration.mesh.connectionCountMax)
      ) { UInt64(clamping: (clock.now - beginning).components.seconds) + 1 }
    } catch {
      throw DaemonError(.unavailable, "\(error)")
    }
    do {
      try await started.start()
    } catch {
      throw DaemonError(.unavailable, error.description)
    }
    return started
  }

  private var engineOptions: Engine.Options {
    Engine.Options(
      cores: cores, idle: configuration.workers.idle == .spin ? .spin : .adaptive,
      frameCount: configuration.workers.frames)
  }

  private func controlOptions(_ configuration: Configuration) -> ControlPlane.Options {
    ControlPlane.Options(
      hostName: Machine.hostName, underlay: configuration.underlay.interface,
      underlayMode: configuration.underlay.mode, vxlanPort: configuration.underlay.vxlanPort,
      overlayMTU: configuration.overlay.mtu,
      endpoints: configuration.vteps.map {
        ControlPlane.Options.Endpoint(address: $0.address, network: $0.vni, port: $0.port)
      },
      faults: configuration.faults,
      keepsAttachments: configuration.attachments.onStop == .keep,
      mesh: Daemon.meshOptions(of: configuration))
  }
}

/// Keeps the claim on the host for as long as the daemon runs.
private final class ClaimHolder: Sendable {
  private let claim: HostClaim

  init(_ claim: consuming HostClaim) { self.claim = claim }
}

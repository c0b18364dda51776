// SPDX-License-Identifier: Apache-2.0

/// The whole daemon at one moment: the answer to `GET /status`.
package struct StatusReport: Codable, Sendable, Equatable {
  /// The daemon's version.
  package var version: String
  /// The host's name.
  package var hostName: String
  /// Seconds since the daemon started.
  package var uptimeSeconds: UInt64
  /// What is wrong with the host and what to do about it, a sentence each; empty if nothing is.
  package var problems: [String]
  /// The outer network.
  package var underlay: UnderlayReport
  /// The MTU containers get, in bytes: the underlay's less the outer headers.
  package var overlayMTU: UInt32
  /// All workers, by index.
  package var workers: [WorkerReport]
  /// All ports, by index.
  package var ports: [PortReport]
  /// All configured VXLAN endpoints.
  package var endpoints: [EndpointReport]
  /// The MAC table.
  package var macs: MACCountReport
  /// What the data plane holds and may hold.
  package var budget: BudgetReport
  /// The mesh; nil if there is none.
  package var mesh: MeshSummaryReport?
  /// What was taken from the daemon by others.
  package var losses: LossReport
  /// What became of all frames.
  package var frames: FrameReport
  /// Every drop reason, also those that never happened.
  package var drops: [DropReport]

  /// Puts the parts together.
  package init(
    version: String = Version.text, hostName: String, uptimeSeconds: UInt64,
    problems: [String] = [], underlay: UnderlayReport, overlayMTU: UInt32,
    workers: [WorkerReport], ports: [PortReport], endpoints: [EndpointReport],
    macs: MACCountReport, budget: BudgetReport, mesh: MeshSummaryReport? = nil,
    losses: LossReport = LossReport(),
    frames: FrameReport, drops: [DropReport]
  ) {
    self.version = version
    self.hostName = hostName
    self.uptimeSeconds = uptimeSeconds
    self.problems = problems
    self.underlay = underlay
    self.overlayMTU = overlayMTU
    self.workers = workers
    self.ports = ports
    self.endpoints = endpoints
    self.macs = macs
    self.budget = budget
    self.mesh = mesh
    self.losses = losses
    self.frames = frames
    self.drops = drops
  }

  private enum CodingKeys: String, CodingKey {
    case version, problems, underlay, workers, ports, endpoints, macs, budget, mesh
    case losses, frames, drops
    case hostName = "host_name"
    case uptimeSeconds = "uptime_seconds"
    case overlayMTU = "overlay_mtu"
  }
}

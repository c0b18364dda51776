// SPDX-License-Identifier: Apache-2.0

package import ControlPlane
package import Inet
package import Logging

/// What a `weftd` was told to do: one strict TOML file, checked and with its defaults filled in.
///
/// `docs/configuration.md` is the reference for people. In code, read `ConfigurationSettings` (the
/// key table), `ConfigurationReader` (file to value, collecting every mistake), then
/// `ConfigurationIssue` (how a mistake is told).
package struct Configuration: Sendable {
  /// How much is logged.
  package var logLevel: Logger.Level
  /// The outer network.
  package var underlay: Underlay
  /// The threads that move frames.
  package var workers: Workers
  /// The network between containers.
  package var overlay: Overlay
  /// How `weft` reaches this daemon.
  package var api: API
  /// What happens to the containers' interfaces.
  package var attachments: Attachments
  /// Whether there is a mesh: whether the file has its section.
  package var hasMesh: Bool
  /// How peers find each other; used only if there is a mesh.
  package var mesh: Mesh
  /// Tunnel endpoints that know nothing of Weft.
  package var vteps: [VTEP]
  /// Ports that are made bad on purpose.
  package var faults: [PortFault]

  /// Where values were written, so that later complaints can name a line.
  let origin: ConfigurationOrigin

  /// The outer network: how encapsulated frames travel between hosts.
  package struct Underlay: Equatable, Sendable {
    /// The interface towards the other hosts; nil: all are reached through the kernel's sockets.
    package var interface: String?
    /// How `interface` may be used.
    package var mode: UnderlayMode
    /// The UDP port that VXLAN arrives at.
    package var vxlanPort: UInt16
    /// How the XDP program is attached to `interface`.
    package var xdp: XDPMode
  }

  /// How an XDP program is attached.
  package enum XDPMode: String, CaseIterable, Sendable {
    /// Native where the driver offers it, else generic; test frames decide where there can be some.
    case automatic
    /// In the driver, or not at all.
    case native
    /// In the network stack; slower, works with every driver.
    case generic
  }

  /// The threads that move frames.
  package struct Workers: Equatable, Sendable {
    /// The cores to pin one worker each to, in the order written; nil means all but one.
    package var cores: [Int]?
    /// What a worker does while no frames come.
    package var idle: Idle
    /// UMEM chunks of 4 KiB for each worker, a power of two.
    package var frames: Int
  }

  /// What a worker does while no frames come.
  package enum Idle: String, CaseIterable, Sendable {
    /// Spin for a moment, then sleep until the kernel has a frame.
    case adaptive
    /// Never sleep: a core at full load for the shortest delay.
    case spin
  }

  /// The network between containers.
  package struct Overlay: Equatable, Sendable {
    /// The MTU of containers' interfaces in bytes; nil means what fits the underlay's.
    package var mtu: Int?
  }

  /// How `weft` reaches this daemon.
  package struct API: Equatable, Sendable {
    /// The absolute path of the unix socket.
    package var socket: String
  }

  /// What happens to the containers' interfaces.
  package struct Attachments: Equatable, Sendable {
    /// What a clean stop does with them.
    package var onStop: OnStop
    /// How the XDP programs of their ports, and of the host's own, are attached.
    package var xdp: XDPMode
  }

  /// What a clean stop does with the containers' interfaces.
  package enum OnStop: String, CaseIterable, Sendable {
    /// Removes them.
    case remove
    /// Leaves them, dropping every frame, for the next start to take over.
    case keep
  }

  /// A plain RFC 7348 tunnel endpoint that knows nothing of Weft.
  package struct VTEP: Hashable, Sendable {
    /// Its address in the underlay.
    package var address: IPv4Address
    /// The network identifier that its frames carry.
    package var vni: VirtualNetwork
    /// The UDP port that it listens at.
    package var port: UInt16
  }
}

extension Configuration: Equatable {
  /// Compares what is configured; where it was written does not count.
  package static func == (left: Configuration, right: Configuration) -> Bool {
    left.logLevel == right.logLevel && left.underlay == right.underlay
      && left.workers == right.workers && left.overlay == right.overlay
      && left.api == right.api && left.attachments == right.attachments
      && left.hasMesh == right.hasMesh && left.mesh == right.mesh
      && left.vteps == right.vteps && left.faults == right.faults
  }
}

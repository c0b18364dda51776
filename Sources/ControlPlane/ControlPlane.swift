// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
internal import HostNetwork
package import Inet
package import Logging
package import Routing

// Decides where frames go, and is the one place that does.
//
// `ControlPlane` is an actor on an executor of its own: requests from the API, hints from the
// workers and the kernel's news about links, routes and neighbours arrive there one after the
// other. It keeps `ForwardingModel` (module Routing) true and publishes after every change. The
// host's network is asked through HostNetwork, the data plane through `ForwardingEngine`, which
// only `Node` connects to the real one. What others do to the host is followed by comparing
// (`followUnderlay`, `followContainer`), judged by `UnderlayCondition` and `ContainerFindings`;
// `UnderlayChoice` says what is to be tried at all, and `ReopenPause` keeps retries apart. Mesh/
// runs the machine of module Mesh (`MeshRun`) and makes the forwarding tables say what it says.
// Reports/ holds what the API says about all of it.

/// The control plane of one host.
package actor ControlPlane {
  /// What the configuration says.
  package struct Options: Sendable {
    /// A remote VXLAN endpoint.
    package struct Endpoint: Sendable, Equatable {
      package var address: IPv4Address
      package var network: VirtualNetwork
      package var port: UInt16

      package init(address: IPv4Address, network: VirtualNetwork, port: UInt16) {
        self.address = address
        self.network = network
        self.port = port
      }
    }

    package var hostName: String
    /// The interface towards the other hosts; nil: all are reached through the kernel's sockets.
    package var underlay: String?
    /// How that interface may be used.
    package var underlayMode: UnderlayMode
    package var vxlanPort: UInt16
    /// Nil: what the underlay's MTU leaves.
    package var overlayMTU: Int?
    package var endpoints: [Endpoint]
    /// Ports to be made bad on purpose.
    package var faults: [PortFault]
    /// Whether a stop leaves containers' interfaces for the next start.
    package var keepsAttachments: Bool
    /// How peers find each other; nil: no mesh.
    package var mesh: MeshOptions?

    package init(
      hostName: String, underlay: String?, underlayMode: UnderlayMode = .automatic,
      vxlanPort: UInt16, overlayMTU: Int?, endpoints: [Endpoint], faults: [PortFault] = [],
      keepsAttachments: Bool, mesh: MeshOptions? = nil
    ) {
      self.hostName = hostName
      self.underlay = underlay
      self.underlayMode = underlayMode
      self.vxlanPort = vxlanPort
      self.overlayMTU = overlayMTU
      self.endpoints = endpoints
      self.faults = faults
      self.keepsAttachments = keepsAttachments
      self.mesh = mesh
    }
  }

  /// A container's interface and the port it hangs on.
  struct Attachment {
    var interface: ContainerInterface
    let port: PortIndex
    /// Whether the data plane serves it.
    var isOpen: Bool
    /// Why no frame passes; nil if they do.
    var trouble: String?
    /// Whether the container's end went to another namespace, so that the pair has to go.
    var isMoved = false
    /// The longest packet that both ends carry, as they were found last.
    var mtu = 0
    /// The one by which the data plane limits its frames.
    var servedMTU = 0
    /// When the port may be opened again for another one.
    var mtuPauseEnd: UInt64 = 0
  }

  /// An endpoint and how it is reached.
  struct EndpointState {
    var options: Options.Endpoint
    let index: EndpointIndex
    /// How its packets travel.
    var way: OuterWay
    /// The host or router on the way whose hardware address the kernel was asked to keep.
    var neighbour: IPv4Address?
  }

  nonisolated let executor: SerialQueueExecutor

  var options: Options
  let engine: any ForwardingEngine
  let logger: Logger
  /// Seconds of a clock that never goes back.
  let now: @Sendable () -> UInt64
  var model: ForwardingModel
  var netlink: NetlinkSocket
  var monitor: NetworkMonitor
  var containerMonitor: ContainerMonitor
  var random: any RandomNumberGenerator & Sendable
  let openTransport: TransportOpening

  /// The interface that the underlay's port is open on; nil while it is open on none.
  var underlay: Link?
  var underlayAddresses: [IPv4Prefix] = []
  /// Why other hosts are reached through the kernel's sockets, if the underlay's port is not open
  /// for that reason; `underlayRefusalReason` is what to show.
  var socketReason: String?
  /// Why the underlay's port is not open; nil if it is, or if sockets do its work.
  var underlayTrouble: String?
  /// Whether it may be tried again.
  var underlayPause = ReopenPause()
  /// Why the underlay's addresses are not ours to receive at; nil if they are.
  var addressTrouble: String?
  var overlayMTU = 0
  /// Whether the configuration has another one and the underlay was not in use since.
  var isOverlayMTUDue = false
  var endpoints: [EndpointState] = []
  var attachments: [PortIndex: Attachment] = [:]
  var faults: [PortFault]
  /// Where the slow look at all containers goes on.
  var nextLook: UInt16 = ControlPlane.firstContainerPort
  var hostPair: HostPair?
  /// Why the host's own port is not open; nil if it is.
  var hostTrouble: String?
  /// The UDP ports whose sockets are open.
  var socketPorts: [UInt16] = []
  /// The UDP ports that were wanted when it was last told who is to know of them.
  var toldPorts: [UInt16] = []
  /// Why a UDP port's socket could not be opened or closed, as far as it was logged.
  var socketTroubles: [UInt16: String] = [:]
  /// Nil without one in the configuration.
  var mesh: MeshRun?
  /// Whom the mesh is to be connected with, as typed.
  var wantedTargets: [String] = []
  /// Names of those that are being looked up, or will be again in a moment.
  var namesInFlight: Set<String> = []
  /// Whether workers can read all that the model says.
  var isPublished = true
  var losses = LossReport()
  var sources: [any DispatchSourceProtocol] = []
  var isStopping = false
  var isTracing = false
  let startedSeconds: UInt64
  var loads: [Load] = []

  /// A worker's busy share over the last second.
  struct Load {
    var busyTicks: UInt64 = 0
    var ticks: UInt64 = 0
    var percent = 0.0
  }

  /// Stations the forwarding tables hold at most.
  package static let stationCountMax = 131_072
  static let hostPort = PortIndex(0)
  static let underlayPort = PortIndex(1)
  static let firstContainerPort: UInt16 = 2
  /// The kernel's UDP sockets; beyond those of containers.
  static let socketPort = PortIndex(2000)
  /// All that are no container's.
  static let ownPorts = [hostPort, underlayPort, socketPort]

  /// A control plane that has touched nothing yet; `start()` does.
  package init(
    options: Options, engine: any ForwardingEngine, model: consuming ForwardingModel,
    logger: Logger, random: any RandomNumberGenerator & Sendable,
    openTransport: @escaping TransportOpening, now: @escaping @Sendable () -> UInt64
  ) throws(ControlPlaneError) {
    let netlink = try ControlPlane.asking { () throws(HostNetworkError) in try NetlinkSocket() }
    let monitor = try ControlPlane.asking { () throws(HostNetworkError) in try NetworkMonitor() }
    let containers = try ControlPlane.asking { () throws(HostNetworkError) in
      try ContainerMonitor()
    }
    executor = SerialQueueExecutor(label: "weft.control")
    self.options = options
    faults = options.faults
    self.engine = engine
    self.model = model
    self.logger = logger
    self.random = random
    self.openTransport = openTransport
    self.now = now
    self.netlink = netlink
    self.monitor = monitor
    containerMonitor = containers
    startedSeconds = now()
  }

  /// Runs a request to the kernel; its refusal becomes ours.
  static func asking<Value: ~Copyable>(
    _ body: () throws(HostNetworkError) -> Value
  ) throws(ControlPlaneError) -> Value {
    do { return try body() } catch { throw .host(error) }
  }

  /// Publishes what changed.
  func commit() {
    isPublished = model.commit()
    if isPublished {
      noteRetirements()
      noteKeysPublished()
    } else {
      logger.error("tables", metadata: ["problem": "no page left for the next snapshot"])
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

/// What is to be done so that the endpoints there are become those that are wanted.
struct EndpointChanges: Equatable {
  /// Neither wanted any more nor with another port.
  var removed: [ControlPlane.Options.Endpoint] = []
  /// There with another port; these are as they are wanted.
  var moved: [ControlPlane.Options.Endpoint] = []
  /// Not there yet.
  var added: [ControlPlane.Options.Endpoint] = []

  /// An endpoint is known by its address and network; what is the same in both lists is left alone.
  init(from current: [ControlPlane.Options.Endpoint], to wanted: [ControlPlane.Options.Endpoint]) {
    let there = Dictionary(current.map { ($0.identity, $0) }) { first, _ in first }
    let staying = Set(wanted.map(\.identity))
    removed = current.filter { !staying.contains($0.identity) }
    for endpoint in wanted {
      switch there[endpoint.identity] {
      case nil: added.append(endpoint)
      case endpoint?: break
      default: moved.append(endpoint)
      }
    }
  }
}

extension ControlPlane.Options.Endpoint {
  /// What tells endpoints apart.
  struct Identity: Hashable {
    let address: IPv4Address
    let network: VirtualNetwork
  }

  var identity: Identity { Identity(address: address, network: network) }
}

extension ControlPlane {
  /// Takes over what can be changed while frames pass: endpoints, the mesh's peers, passwords and
  /// age of keys, the MTU of containers attached from now on, what a stop does with attachments.
  ///
  /// Endpoints that stay as they are lose no frame; all changes are in one snapshot.
  package func reload(_ wanted: Options) {
    guard !isStopping else { return }
    if options.overlayMTU != wanted.overlayMTU { isOverlayMTUDue = true }
    options.overlayMTU = wanted.overlayMTU
    options.endpoints = wanted.endpoints
    options.keepsAttachments = wanted.keepsAttachments
    setFaults(wanted.faults)
    retarget(wanted.mesh)
    if let mesh = wanted.mesh { changePasswords(mesh) }
    if underlay != nil || socketReason != nil { settleOverlayMTU(over: configuredLink) }
    recoverEndpointIndices()
    let changes = EndpointChanges(from: endpoints.map(\.options), to: wanted.endpoints)
    for endpoint in changes.removed { remove(endpoint) }
    for endpoint in changes.moved { move(endpoint) }
    for endpoint in changes.added where !add(endpoint) {
      logger.error(
        "endpoint not added",
        metadata: metadata(endpoint).merging(["problem": "the forwarding tables are full"]) { $1 })
    }
    sortEndpoints(like: wanted.endpoints)
    followOuterPorts()
    tellMeshMTUs()
    resolveEndpoints()
    commit()
    if !changes.removed.isEmpty { removeUnwantedNeighbours() }
  }

  /// Gives containers attached from now on the MTU that was configured since it was last settled.
  ///
  /// Only then, so that the status tells if those that are there have more than an underlay leaves.
  func settleOverlayMTU(over underlay: Link?) {
    guard isOverlayMTUDue else { return }
    overlayMTU = overlayMTU(over: underlay)
    isOverlayMTUDue = false
  }

  /// The MTU that containers get: as configured, or else what VXLAN leaves of the underlay's.
  func overlayMTU(over underlay: Link?) -> Int {
    UnderlayCondition.overlayMTU(
      wanted: options.overlayMTU, mtu: underlay?.mtu, frameLengthMax: engine.frameLengthMax,
      isSealed: isSealed)
  }

  /// Whether frames to other hosts are sealed.
  var isSealed: Bool { options.mesh?.password != nil }

  /// Adds an endpoint that is not resolved yet; false if there is no room.
  func add(_ endpoint: Options.Endpoint) -> Bool {
    guard
      let index = model.addEndpoint(
        address: endpoint.address, network: endpoint.network,
        underlayPort: ControlPlane.underlayPort)
    else { return false }
    endpoints.append(
      EndpointState(options: endpoint, index: index, way: .none(because: "not asked for yet")))
    return true
  }

  private func remove(_ endpoint: Options.Endpoint) {
    guard let position = position(of: endpoint) else { return }
    model.removeEndpoint(endpoints.remove(at: position).index)
    logger.info("endpoint removed", metadata: metadata(endpoint))
  }

  /// Gives an endpoint another port; it is resolved anew before anything is published.
  private func move(_ endpoint: Options.Endpoint) {
    guard let position = position(of: endpoint) else { return }
    endpoints[position].options = endpoint
    endpoints[position].way = .none(because: "its port has changed")
  }

  private func position(of endpoint: Options.Endpoint) -> Int? {
    endpoints.firstIndex { $0.options.identity == endpoint.identity }
  }

  /// Makes the indices of endpoints that were removed long enough ago available again.
  ///
  /// The order matters: hints that mean the former owner of an index have been taken, and refused,
  /// before another endpoint can get it.
  func recoverEndpointIndices() {
    let vanished = model.vanishedEndpoints
    guard !vanished.isEmpty else { return }
    drainHints()
    model.reuseEndpoints(vanished)
  }

  /// Reports list endpoints as the file does.
  private func sortEndpoints(like wanted: [Options.Endpoint]) {
    let order = Dictionary(wanted.enumerated().map { ($0.element.identity, $0.offset) }) { $1 }
    endpoints.sort { order[$0.options.identity] ?? 0 < order[$1.options.identity] ?? 0 }
  }

  private func metadata(_ endpoint: Options.Endpoint) -> Logger.Metadata {
    [
      "address": "\(endpoint.address)", "vni": "\(endpoint.network)", "port": "\(endpoint.port)",
    ]
  }
}

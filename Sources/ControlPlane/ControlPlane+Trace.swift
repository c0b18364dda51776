// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Mesh

extension ControlPlane {
  /// Follows the next frames; returns when there are enough of them or the time is over.
  ///
  /// A task that is cancelled gets what there is by then. Whatever the end, no worker records any
  /// more.
  package func trace(_ request: TraceRequest) async throws(ControlPlaneError) -> TraceReport {
    guard !isStopping else { throw .stopping }
    let order: TraceRequest.Validated
    do { order = try request.validated() } catch { throw .request(error) }
    guard !isTracing else { throw .tracing }
    let filter = TraceFilter(port: try order.port.map(tracedPort), mac: order.mac)
    isTracing = true
    defer { isTracing = false }
    let clock = ContinuousClock()
    var recording = TraceRecording(
      count: order.count, ticks: engine.ticks, lostBefore: engine.traceLostCount)
    let began = clock.now
    do { try engine.startTrace(filter, count: order.count) } catch { throw .engine(error) }
    logger.info(
      "trace",
      metadata: ["frames": "\(order.count)", "seconds": "\(order.seconds)"])
    let end = began + .seconds(order.seconds)
    while !recording.isComplete, clock.now < end {
      guard (try? await clock.sleep(for: .milliseconds(20))) != nil else { break }
      // Somebody may have stopped the engine while we slept; then it takes no commands.
      guard !isStopping else { throw .stopping }
      takeTrace(into: &recording)
    }
    engine.stopTrace()
    takeTrace(into: &recording)
    return recording.report(
      ticks: engine.ticks, after: clock.now - began, lost: engine.traceLostCount)
  }

  private func takeTrace(into recording: inout TraceRecording) {
    // Names are looked up now: in the end a port may be gone.
    let names = traceNames
    engine.takeTrace { recording.add($0, names: names) }
  }

  private var traceNames: TraceNames {
    var ports: [PortIndex: TraceNames.Port] = [:]
    for port in ControlPlane.ownPorts + attachments.keys {
      ports[port] = TraceNames.Port(
        interface: interfaceName(of: port), kind: kind(of: port),
        netns: attachments[port]?.interface.record.namespacePath)
    }
    // Their order is the file's, and after a reload their numbers may have gaps.
    let named = endpoints.map { endpoint in
      let options = endpoint.options
      return (
        endpoint.index,
        TraceNames.Endpoint(
          address: options.address, network: options.network, port: options.port)
      )
    }
    let peers = (mesh?.peers ?? [:]).values.map { ($0.index, $0.name.description) }
    return TraceNames(
      ports: ports, endpoints: Dictionary(named) { first, _ in first },
      peers: Dictionary(peers) { first, _ in first }, sleevePeers: peersBySleeve)
  }

  /// Peers whose next hop takes frames by sleeve.
  private var peersBySleeve: Set<EndpointIndex> {
    guard let mesh else { return [] }
    let forwarding = mesh.machine.forwarding
    let hops = Set(forwarding.neighbours.filter { $0.chosen == .sleeve }.map(\.name))
    let reached = forwarding.peers.filter { peer in peer.nextHop.map(hops.contains) ?? false }
    return Set(reached.compactMap { mesh.peers[$0.name]?.index })
  }

  private func tracedPort(_ name: String) throws(ControlPlaneError) -> PortIndex {
    do { return try traceNames.port(named: name) } catch { throw .request(error) }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// Listens to workers, to the kernel and to the clock; all of it on the actor's own queue.
  func watch() {
    let hints = DispatchSource.makeReadSource(
      fileDescriptor: engine.hintEvent, queue: executor.queue)
    hints.setEventHandler { self.assumeIsolated { $0.takeHints() } }
    let news = DispatchSource.makeReadSource(
      fileDescriptor: monitor.descriptor, queue: executor.queue)
    news.setEventHandler { self.assumeIsolated { $0.takeNews() } }
    let second = DispatchSource.makeTimerSource(queue: executor.queue)
    second.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(100))
    second.setEventHandler { self.assumeIsolated { $0.tick() } }
    let minute = DispatchSource.makeTimerSource(queue: executor.queue)
    minute.schedule(deadline: .now() + 60, repeating: 60, leeway: .seconds(1))
    minute.setEventHandler { self.assumeIsolated { $0.sweep() } }
    sources = [hints, news, second, minute]
    hints.activate()
    news.activate()
    second.activate()
    minute.activate()
  }

  /// Learns what the workers saw and publishes it once.
  func takeHints() {
    engine.clearHintEvent()
    var hints: [Hint] = []
    engine.takeHints { hints.append($0) }
    let seconds = now()
    for hint in hints { model.learn(hint, nowSeconds: seconds) }
    commit()
  }

  func sweep() {
    model.sweep(nowSeconds: now())
    commit()
  }

  /// Once a second: what is not reachable yet is tried again, loads are measured, pages reclaimed.
  func tick() {
    if endpoints.contains(where: { $0.isUnusable }) { resolveEndpoints() }
    measureLoads()
    commit()
  }

  private func measureLoads() {
    let workers = engine.workers()
    if loads.count != workers.count { loads = workers.map { _ in Load() } }
    for (index, worker) in workers.enumerated() {
      let busy = worker.counters[WorkerCounter.busyTicks.rawValue]
      let passed = worker.ticks &- loads[index].ticks
      if loads[index].ticks != 0, passed > 0 {
        loads[index].percent = Double(busy &- loads[index].busyTicks) * 100 / Double(passed)
      }
      loads[index].busyTicks = busy
      loads[index].ticks = worker.ticks
    }
  }

  /// Reacts to what the kernel says about links, addresses, routes and neighbours.
  func takeNews() {
    let events: [NetworkEvent]
    do {
      events = try monitor.drain()
    } catch {
      logger.error("network monitor", metadata: ["problem": "\(error)"])
      events = [.overflow]
    }
    guard !events.isEmpty else { return }
    for event in events { react(to: event) }
    resolveEndpoints()
    commit()
  }

  private func react(to event: NetworkEvent) {
    switch event {
    case .linkRemoved(let index, let name): linkVanished(index, name)
    case .linkChanged(let link) where link.index == underlay?.index: underlay = link
    case .addressChanged(let address, _) where address.interface == underlay?.index:
      readUnderlayAddresses()
    case .overflow:
      readUnderlayAddresses()
      dropVanishedAttachments()
    default: break
    }
  }

  private func readUnderlayAddresses() {
    guard let underlay, let addresses = try? netlink.addresses(of: underlay.index) else { return }
    underlayAddresses = addresses.map(\.prefix)
    do {
      try engine.setOverlayAddresses(
        underlayAddresses.map(\.address), port: ControlPlane.underlayPort)
    } catch {
      logger.error("underlay addresses", metadata: ["problem": "\(error)"])
    }
  }

  private func dropVanishedAttachments() {
    guard let links = try? netlink.links() else { return }
    let there = Set(links.map(\.index))
    for attachment in attachments.values where !there.contains(attachment.interface.hostEndIndex) {
      forget(attachment)
    }
  }

  private func linkVanished(_ index: InterfaceIndex, _ name: String) {
    if index == underlay?.index {
      logger.error("underlay vanished", metadata: ["interface": "\(name)"])
      return
    }
    guard
      let attachment = attachments.values.first(where: { $0.interface.hostEndIndex == index })
    else { return }
    forget(attachment)
  }

  /// A container's interface is gone, usually because its namespace is.
  private func forget(_ attachment: Attachment) {
    attachments[attachment.port] = nil
    model.removePort(attachment.port)
    commit()
    engine.closePort(attachment.port)
    logger.notice(
      "container gone",
      metadata: [
        "interface": "\(attachment.interface.hostEnd)",
        "netns": "\(attachment.interface.record.namespacePath)",
      ])
  }

  /// Asks the kernel how each endpoint is reached and tells the model what changed.
  func resolveEndpoints() {
    for position in endpoints.indices {
      let before = endpoints[position]
      let state = nextHop(of: before.options.address)
      guard state != before.state || before.refusal != nil else { continue }
      endpoints[position].state = state
      endpoints[position].refusal = nil
      let path = path(to: &endpoints[position])
      model.setEndpoint(before.index, reached: path)
      report(endpoints[position])
    }
  }

  private func nextHop(of address: IPv4Address) -> NextHopState {
    do {
      let state = try netlink.resolveNextHop(for: address)
      if let underlay { noteNeighbour(address, state, underlay.index) }
      return state
    } catch {
      logger.warning(
        "next hop", metadata: ["endpoint": "\(address)", "problem": "\(error)"])
      return .unresolved(.noRoute)
    }
  }

  /// Remembers the neighbour that resolving made the kernel keep, to let go of it at the stop.
  private func noteNeighbour(
    _ address: IPv4Address, _ state: NextHopState, _ interface: InterfaceIndex
  ) {
    switch state {
    case .resolved:
      let route = try? netlink.lookUpRoute(to: address)
      managedNeighbours.insert(
        ManagedNeighbour(address: route?.gateway ?? address, interface: interface))
    case .unresolved(.asking(let neighbour)), .unresolved(.silent(let neighbour)):
      managedNeighbours.insert(ManagedNeighbour(address: neighbour, interface: interface))
    case .unresolved: break
    }
  }

  private func path(to endpoint: inout EndpointState) -> EndpointPath? {
    guard case .resolved(let hop) = endpoint.state else { return nil }
    guard hop.interface == underlay?.index else {
      endpoint.refusal = "its route leaves by another interface than the underlay"
      return nil
    }
    return EndpointPath(
      sourceMAC: hop.sourceMAC, destinationMAC: hop.destinationMAC, source: hop.sourceAddress,
      destination: endpoint.options.address, destinationPort: endpoint.options.port,
      network: endpoint.options.network, innerLengthMax: min(hop.mtu, underlay?.mtu ?? hop.mtu) - 36
    )
  }

  private func report(_ endpoint: EndpointState) {
    logger.info(
      "endpoint",
      metadata: [
        "address": "\(endpoint.options.address)", "vni": "\(endpoint.options.network)",
        "state": "\(endpoint.isUnusable ? "unresolved" : "resolved")",
        "reason": "\(endpoint.reason)",
      ])
  }
}

extension ControlPlane.EndpointState {
  /// Whether frames for it are dropped at present.
  var isUnusable: Bool {
    if case .resolved = state { refusal != nil } else { true }
  }

  /// Why so, in words.
  var reason: String {
    switch state {
    case .resolved: refusal ?? ""
    case .unresolved(let reason): reason.description
    }
  }
}

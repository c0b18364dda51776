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
    let containerNews = DispatchSource.makeReadSource(
      fileDescriptor: containerMonitor.descriptor, queue: executor.queue)
    containerNews.setEventHandler { self.assumeIsolated { $0.takeContainerNews() } }
    let second = DispatchSource.makeTimerSource(queue: executor.queue)
    second.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(100))
    second.setEventHandler { self.assumeIsolated { $0.tick() } }
    let minute = DispatchSource.makeTimerSource(queue: executor.queue)
    minute.schedule(deadline: .now() + 60, repeating: 60, leeway: .seconds(1))
    minute.setEventHandler { self.assumeIsolated { $0.sweep() } }
    sources = [hints, news, containerNews, second, minute]
    for source in sources { source.activate() }
  }

  /// Learns what the workers saw and publishes it once.
  func takeHints() {
    learnHints()
    takeSpecials()
  }

  /// Learns what the workers saw, and keeps what they have for the mesh.
  func learnHints() {
    engine.clearHintEvent()
    collectSpecials()
    var hints: [Hint] = []
    engine.takeHints { hints.append($0) }
    let seconds = now()
    for hint in hints { model.learn(hint, nowSeconds: seconds) }
    commit()
  }

  /// Takes every hint there is, before what they name is taken by another owner.
  func drainHints() {
    learnHints()
    takeSpecialsLater()
  }

  func sweep() {
    model.sweep(nowSeconds: now())
    removeUnwantedNeighbours()
    commit()
  }

  /// Once a second: the host is looked at in case that an event was missed, what is not reachable
  /// yet is tried again, loads are measured, pages reclaimed.
  func tick() {
    followUnderlay()
    followHostPair()
    lookAtContainers()
    if endpoints.contains(where: { $0.isUnusable }) { resolveEndpoints() }
    tellMeshMTUs()
    followOuterPorts()
    followPeersAgain()
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
    var concerns = Concerns()
    for event in events { note(event, in: &concerns) }
    follow(concerns)
    resolveEndpoints()
    resolveMeshNeighbours()
    commit()
  }

  /// Reacts to what happens inside of containers.
  func takeContainerNews() {
    var concerns = Concerns()
    do {
      for event in try containerMonitor.drain() {
        switch event {
        case .changed(let index, let namespace):
          let peer = ContainerInterface.Peer(index: index, namespace: namespace)
          let concerned = attachments.values.filter { $0.interface.peer == peer }
          concerns.containers.formUnion(concerned.map(\.port))
        case .overflow: concerns.containers.formUnion(attachments.keys)
        }
      }
    } catch {
      logger.error("container monitor", metadata: ["problem": "\(error)"])
    }
    guard !concerns.containers.isEmpty else { return }
    follow(concerns)
    commit()
  }

  /// What has to be looked at after events, each once however many there were.
  private struct Concerns {
    var underlay = false
    var hostPair = false
    var containers: Set<PortIndex> = []
  }

  private func note(_ event: NetworkEvent, in concerns: inout Concerns) {
    switch event {
    case .linkRemoved(let index, let name): note(index, name, in: &concerns)
    case .linkChanged(let link): note(link.index, link.name, in: &concerns)
    case .addressChanged(let address, _):
      if address.interface == underlay?.index { concerns.underlay = true }
    case .overflow:
      concerns.underlay = true
      concerns.hostPair = true
      concerns.containers.formUnion(attachments.keys)
    case .neighbourChanged, .routeChanged: break
    }
  }

  private func note(_ index: InterfaceIndex, _ name: String, in concerns: inout Concerns) {
    if index == underlay?.index || name == options.underlay { concerns.underlay = true }
    if index == hostPair?.switchEnd.index || index == hostPair?.host.index {
      concerns.hostPair = true
    }
    let concerned = attachments.values.filter { $0.interface.hostEndIndex == index }
    concerns.containers.formUnion(concerned.map(\.port))
  }

  private func follow(_ concerns: Concerns) {
    if concerns.underlay { followUnderlay() }
    if concerns.hostPair { followHostPair() }
    for port in concerns.containers { followContainer(port) }
  }
}

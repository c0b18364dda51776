// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Routing

extension ControlPlane {
  /// Every attachment, by host interface in order of attaching.
  package func attachmentReports() -> [AttachmentReport] {
    attachments.values.sorted { $0.port.number < $1.port.number }.map(report)
  }

  func report(_ attachment: Attachment) -> AttachmentReport {
    let record = attachment.interface.record
    return AttachmentReport(
      hostInterface: attachment.interface.hostEnd, interface: record.containerInterface,
      netns: record.namespacePath, mac: record.mac, addresses: record.addresses,
      state: attachment.trouble == nil ? .attached : .down, detail: attachment.trouble ?? "")
  }

  /// Where every known station is.
  package func macReports() -> [MACReport] {
    let peersByIndex = Dictionary(
      (mesh?.peers ?? [:]).values.map { ($0.index, $0.name) }
    ) { $1 }
    let endpointsByIndex = Dictionary(endpoints.map { ($0.index, $0.options) }) { $1 }
    return model.stations(nowSeconds: now()).compactMap { station in
      guard station.location.isEndpoint else {
        return MACReport(
          mac: station.mac, port: interfaceName(of: station.location.port),
          ageSeconds: station.ageSeconds)
      }
      if let peer = peersByIndex[station.location.endpoint] {
        return MACReport(mac: station.mac, peer: peer, ageSeconds: station.ageSeconds)
      }
      guard let endpoint = endpointsByIndex[station.location.endpoint] else { return nil }
      return MACReport(
        mac: station.mac, endpoint: endpoint.address, network: endpoint.network,
        ageSeconds: station.ageSeconds)
    }
  }

  /// Everything there is to know at once.
  package func statusReport() -> StatusReport {
    let workers = engine.workers()
    let account = workers.map { FrameAccount(values: $0.counters) }
    let sum = account.dropFirst().reduce(account.first ?? .none) { $0 + $1 }
    let link = configuredLink
    return StatusReport(
      version: Version.text, hostName: options.hostName, uptimeSeconds: now() - startedSeconds,
      problems: underlayProblems(link) + [hostTrouble].compactMap(\.self),
      underlay: underlayReport(link), overlayMTU: UInt32(clamping: overlayMTU),
      workers: workers.enumerated().map { workerReport($0.offset, $0.element) },
      ports: portReports(), endpoints: endpoints.map(endpointReport), macs: macCountReport(),
      budget: engine.budget(), mesh: meshReport().map { MeshSummaryReport($0) }, losses: losses,
      frames: frameReport(sum),
      drops: DropReason.allCases.map {
        DropReport(reason: $0.identifier, sentence: $0.sentence, frames: sum.dropped($0))
      })
  }

  func interfaceName(of port: PortIndex) -> String {
    switch port {
    case ControlPlane.hostPort: hostPair?.host.name ?? ""
    case ControlPlane.socketPort: "UDP sockets"
    case ControlPlane.underlayPort: underlay?.name ?? options.underlay ?? ""
    default: attachments[port]?.interface.hostEnd ?? ""
    }
  }

  private func underlayReport(_ link: Link?) -> UnderlayReport {
    let status = engine.status(of: ControlPlane.underlayPort)
    let isServed = status != nil || socketReason != nil
    let state: UnderlayReport.State =
      if let link {
        if !link.isUp || !link.hasCarrier { .down } else { isServed ? .up : .closed }
      } else {
        options.underlay == nil ? .up : .missing
      }
    return UnderlayReport(
      interface: options.underlay, method: socketReason == nil ? .xdp : .socket,
      methodReason: socketReason ?? "", mode: status?.mode, reason: status?.reason ?? "",
      zeroCopy: status?.zeroCopy ?? false, mtu: UInt32(clamping: link?.mtu ?? 0),
      addresses: underlayAddresses, vxlanPort: options.vxlanPort, state: state)
  }

  private func workerReport(_ index: Int, _ worker: WorkerStatus) -> WorkerReport {
    func value(_ counter: WorkerCounter) -> UInt64 { worker.counters[counter.rawValue] }
    return WorkerReport(
      index: UInt32(index), core: UInt32(worker.core),
      idle: worker.isSpinning ? .spin : .adaptive,
      state: worker.isSleeping ? .sleeping : .running, breaths: value(.breaths),
      idleBreaths: value(.idleBreaths),
      loadPercent: index < loads.count ? loads[index].percent : 0,
      framesFree: value(.framesFree), framesTotal: UInt64(worker.frameCount),
      frames: frameReport(FrameAccount(values: worker.counters)))
  }

  private func portReports() -> [PortReport] {
    let containers = attachments.keys.sorted { $0.number < $1.number }
    return (ControlPlane.ownPorts + containers).compactMap { port in
      guard let status = engine.status(of: port) else { return nil }
      func value(_ counter: PortCounter) -> UInt64 { status.counters[counter.rawValue] }
      return PortReport(
        index: UInt32(port.number), interface: interfaceName(of: port), kind: kind(of: port),
        mode: status.mode, reason: status.reason, zeroCopy: status.zeroCopy,
        queues: UInt32(status.queueCount), receivedFrames: value(.receivedFrames),
        receivedBytes: value(.receivedBytes), sentFrames: value(.sentFrames),
        sentBytes: value(.sentBytes), kernelDrops: status.kernelDrops,
        faults: status.faults.map(FaultReport.init))
    }
  }

  func kind(of port: PortIndex) -> PortReport.Kind {
    switch port {
    case ControlPlane.hostPort: .host
    case ControlPlane.underlayPort, ControlPlane.socketPort: .underlay
    default: .container
    }
  }

  private func endpointReport(_ endpoint: EndpointState) -> EndpointReport {
    var report = EndpointReport(
      address: endpoint.options.address, vni: endpoint.options.network.bits,
      port: endpoint.options.port, state: endpoint.isUnusable ? .unresolved : .resolved,
      reason: endpoint.reason)
    switch endpoint.way {
    case .direct(let hop):
      report.nextHopMAC = hop.destinationMAC
      report.sourceAddress = hop.sourceAddress
      report.outInterface = underlay?.name
    case .kernel(let route, _):
      report.sourceAddress = route.sourceAddress
      report.outInterface = route.interface
    case .none: break
    }
    return report
  }

  private func macCountReport() -> MACCountReport {
    MACCountReport(
      count: UInt64(model.stationCount), limit: UInt64(ControlPlane.stationCountMax),
      learned: model.counts.learned, moved: model.counts.moved, aged: model.counts.aged,
      refused: model.counts.refused)
  }

  private func frameReport(_ account: FrameAccount) -> FrameReport {
    FrameReport(
      received: account.received, generated: account.generated, copied: account.copied,
      sent: account.sent, punted: account.punted, dropped: account.dropped.reduce(0, +),
      merged: account.merged, held: account.held, takenOver: account.takenOver,
      handedOver: account.handedOver)
  }
}

extension FrameAccount {
  /// The account of no worker.
  fileprivate static var none: FrameAccount {
    FrameAccount(values: Array(repeating: 0, count: WorkerCounter.blockCount))
  }
}

// SPDX-License-Identifier: Apache-2.0

import ControlPlane

/// What `GET /metrics` answers: the reports' numbers for Prometheus.
///
/// Names that begin with `weave_` mean what they mean with Weave Net; all others are Weft's own.
struct MetricsText {
  private var output = PrometheusText()

  /// The text of these reports; `connections` is empty without a mesh.
  static func text(_ status: StatusReport, _ connections: [ConnectionReport]) -> String {
    var metrics = MetricsText()
    metrics.write(status)
    metrics.write(status.frames, status.drops, of: status.workers)
    metrics.write(status.workers)
    metrics.write(status.ports)
    metrics.write(status.endpoints)
    metrics.write(status.macs)
    if let mesh = status.mesh { metrics.write(mesh, connections) }
    metrics.writeSecurity(of: connections)
    return metrics.output.text
  }

  typealias Sample = PrometheusText.Sample

  mutating func counter(_ name: String, _ help: String, _ samples: [Sample]) {
    output.write(name, .counter, help, samples)
  }

  mutating func gauge(_ name: String, _ help: String, _ samples: [Sample]) {
    output.write(name, .gauge, help, samples)
  }

  private mutating func write(_ status: StatusReport) {
    gauge("weft_info", "This weftd.", [Sample(1 as UInt64, [("version", status.version)])])
    gauge("weft_uptime_seconds", "Time since weftd started.", [Sample(status.uptimeSeconds)])
    gauge(
      "weft_problems", "What is wrong with the host; weft status says what.",
      [Sample(UInt64(status.problems.count))])
    gauge(
      "weft_underlay_up", "Whether frames can pass to other hosts.",
      [Sample(status.underlay.state == .up ? 1 : 0 as UInt64)])
    counter(
      "weft_losses_total", "What others took from weftd.",
      [
        Sample(status.losses.attachments, [("what", "attachments")]),
        Sample(status.losses.addresses, [("what", "addresses")]),
        Sample(status.losses.underlay, [("what", "underlay")]),
      ])
  }

  private mutating func write(
    _ sum: FrameReport, _ drops: [DropReport], of workers: [WorkerReport]
  ) {
    let counts: [(name: String, help: String, value: KeyPath<FrameReport, UInt64>)] = [
      ("received", "Frames that came in at a port.", \.received),
      ("generated", "Frames that the worker made itself.", \.generated),
      ("copied", "Copies made to flood frames.", \.copied),
      ("taken_over", "Frames taken over from another worker.", \.takenOver),
      ("sent", "Frames that left through a port.", \.sent),
      ("punted", "Frames handed to the control plane.", \.punted),
      ("merged", "Frames that became part of another.", \.merged),
      ("handed_over", "Frames handed over to another worker.", \.handedOver),
    ]
    for count in counts {
      counter(
        "weft_frames_\(count.name)_total", count.help,
        workers.map { Sample($0.frames[keyPath: count.value], $0.labels) })
    }
    gauge(
      "weft_frames_held", "Frames that wait inside the worker.",
      workers.map { Sample($0.frames.held, $0.labels) })
    counter(
      "weft_frames_dropped_total", "Frames that were dropped, by why.",
      drops.map { Sample($0.frames, [("reason", $0.reason)]) })
    gauge(
      "weft_frames_balanced", "Whether every frame is accounted for.",
      [Sample(sum.balanced ? 1 : 0 as UInt64)])
  }

  private mutating func write(_ workers: [WorkerReport]) {
    counter(
      "weft_worker_breaths_total", "Turns of the worker's loop.",
      workers.map { Sample($0.breaths, $0.labels) })
    counter(
      "weft_worker_idle_breaths_total", "Turns that found no frame.",
      workers.map { Sample($0.idleBreaths, $0.labels) })
    gauge(
      "weft_worker_load_ratio", "Share of the last interval in which it was busy with frames.",
      workers.map { Sample($0.loadPercent / 100, $0.labels) })
    gauge(
      "weft_worker_chunks", "Places for frames.",
      workers.map { Sample($0.framesTotal, $0.labels) })
    gauge(
      "weft_worker_free_chunks", "Places for frames that nobody holds.",
      workers.map { Sample($0.framesFree, $0.labels) })
  }

  private mutating func write(_ ports: [PortReport]) {
    counter(
      "weft_port_received_frames_total", "Frames that came in at the port.",
      ports.map { Sample($0.receivedFrames, $0.labels) })
    counter(
      "weft_port_received_bytes_total", "Bytes of the frames that came in at the port.",
      ports.map { Sample($0.receivedBytes, $0.labels) })
    counter(
      "weft_port_sent_frames_total", "Frames that left through the port.",
      ports.map { Sample($0.sentFrames, $0.labels) })
    counter(
      "weft_port_sent_bytes_total", "Bytes of the frames that left through the port.",
      ports.map { Sample($0.sentBytes, $0.labels) })
    counter(
      "weft_port_kernel_drops_total", "What the kernel lost before the worker or after it.",
      ports.flatMap { port in
        port.kernelDrops.byCause.map { Sample($0.count, port.labels + [("cause", $0.cause)]) }
      })
  }

  private mutating func write(_ endpoints: [EndpointReport]) {
    let resolved = endpoints.count { $0.state == .resolved }
    gauge(
      "weft_endpoints", "Configured VXLAN endpoints, by whether frames can reach them.",
      [
        Sample(UInt64(resolved), [("state", "resolved")]),
        Sample(UInt64(endpoints.count - resolved), [("state", "unresolved")]),
      ])
  }

  private mutating func write(_ macs: MACCountReport) {
    gauge("weft_macs", "Known MAC addresses.", [Sample(macs.count)])
    gauge("weft_macs_max", "MAC addresses that can be known at once.", [Sample(macs.limit)])
    let counts: [(event: String, help: String, count: UInt64)] = [
      ("learned", "MAC addresses that were learned.", macs.learned),
      ("moved", "MAC addresses that were seen in another place.", macs.moved),
      ("aged", "MAC addresses that were forgotten, not being seen any more.", macs.aged),
      ("refused", "MAC addresses that found no room.", macs.refused),
    ]
    for count in counts {
      counter("weft_macs_\(count.event)_total", count.help, [Sample(count.count)])
    }
  }
}

extension WorkerReport {
  fileprivate var labels: [(name: String, value: String)] { [("worker", "\(index)")] }
}

extension PortReport {
  fileprivate var labels: [(name: String, value: String)] {
    [("port", "\(index)"), ("interface", interface), ("kind", kind.rawValue)]
  }
}

extension KernelDropReport {
  /// Each with its key in the JSON.
  fileprivate var byCause: [(cause: String, count: UInt64)] {
    [
      ("rx_dropped", rxDropped), ("rx_ring_full", rxRingFull),
      ("fill_ring_empty", fillRingEmpty), ("rx_invalid", rxInvalid),
      ("tx_invalid", txInvalid), ("missed", missed),
    ]
  }
}

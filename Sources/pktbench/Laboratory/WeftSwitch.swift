// SPDX-License-Identifier: Apache-2.0

import Dataplane

/// Our way: the data plane of weftd with one worker, between a bench's two ports.
struct WeftSwitch: Forwarder {
  let bench: Bench
  let host: WeftHost
  /// Whether it may run only while it is measured, as it never leaves its core to others.
  private let isSpinning: Bool
  /// What reads its packets at the far end; nil if they are in clear.
  private let reader: ESPReader?

  /// Builds it between the bench's two ports; a spinning one runs from `wake` to `rest`.
  ///
  /// If it `isEncrypted`, VXLAN is sent in ESP.
  init(
    bench: Bench, core: Int, idle: IdleMode = .adaptive, isEncrypted: Bool = false
  ) throws {
    self.bench = bench
    reader = isEncrypted ? try ESPReader(.ofBench) : nil
    isSpinning = idle == .spin
    let (near, far) =
      bench.flows.way == .decap
      ? (Flows.destinations, [Flows.source]) : ([Flows.source], Flows.destinations)
    host = try WeftHost(
      WeftHost.Options(
        room: bench.host, near: bench.nearPort, far: bench.farPort,
        tunnel: bench.flows.way == .bridge ? nil : .ofBench, nearStations: near,
        farStations: far, core: core, idle: idle,
        transport: isEncrypted ? .esp(isFirst: true) : WeftTransport()))
    if !isSpinning { try host.start() }
  }

  func wake() throws {
    guard isSpinning else { return }
    try host.start()
    try bench.warmUp()
  }

  func prove() throws { try bench.prove(reading: reader) }

  func rest() {
    if isSpinning { host.stop() }
  }

  /// Frames dropped by the kernel before our socket, and by the worker.
  func dropped() throws -> UInt64 { try host.dropped() }

  func sample(_ load: Load) throws -> Sample {
    let losses = try Losses(of: host)
    let before = try host.work()
    var after = before
    var sample = try bench.run(load, dropped: dropped) { after = try host.work() }
    sample.idleShare = after.idleShare(since: before)
    sample.busySeconds = after.busySeconds(since: before)
    sample.drops = sample.drops.map { drops in
      ((try? Losses(of: host))?.since(losses)).map { "\(drops) (\($0.text))" } ?? drops
    }
    return sample
  }

  func close() {
    host.stop()
    bench.close()
  }
}

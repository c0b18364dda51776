// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Telemetry

extension Worker {
  /// Carries a batch to its end as `decide` and `dispose` do, and records what happens to the
  /// frames that a trace asks for.
  ///
  /// Apart, so that all a batch pays while no trace is under way is the branch to here. The stages
  /// are the same functions in the same order, so a traced frame goes where it would have gone.
  @inline(never)
  mutating func carryTraced(_ slot: UInt16, snapshot: ForwardingSnapshot) {
    let port = ports.port(of: slot)
    let kind = ports.kind(of: slot)
    tracer.begin(batch, port: port, kind: kind, memory: memory)
    batch.begin(from: Location(port))
    if kind == .underlay {
      OpenStage.process(&batch, memory: memory, snapshot: snapshot)
      if batch.sealedCount > 0 { decryptAll(snapshot: snapshot) }
    }
    traceOpened(isFromUnderlay: kind == .underlay, snapshot: snapshot)
    if datagrams.count > 0 { unpackAll(slot, snapshot: snapshot) }
  }

  /// Does what `decideOpened` and `disposeAll` do, for a batch that the tracer has begun.
  ///
  /// A datagram of sleeve that opens, and what is for the control plane, get no record; the frames
  /// in a datagram are traced as they follow.
  @inline(never)
  mutating func traceOpened(isFromUnderlay: Bool, snapshot: ForwardingSnapshot) {
    tracer.noteOpen(batch, memory: memory)
    ParseStage.process(&batch, memory: memory, snapshot: snapshot)
    tracer.noteDrops(batch, in: .parse)
    tracer.noteStations(batch, snapshot: snapshot)
    LearnStage.process(&batch, snapshot: snapshot, reader: reader, hints: &hints)
    tracer.noteDrops(batch, in: .learn)
    LookUpStage.process(&batch, snapshot: snapshot)
    tracer.noteLookUp(batch)
    if isFromUnderlay { clampArrivals() }
    EncapsulateStage.process(&batch, memory: &memory, snapshot: snapshot)
    if batch.relayCount > 0 {
      RelayStage.process(&batch, memory: &memory, snapshot: snapshot)
    }
    tracer.noteEncapsulate(batch, snapshot: snapshot)
    for index in 0..<batch.count { disposeTraced(index, snapshot: snapshot) }
    flush(snapshot: snapshot)
    tracer.end()
  }

  private mutating func disposeTraced(_ index: Int, snapshot: ForwardingSnapshot) {
    guard tracer.isRecording(index) else { return dispose(index, snapshot: snapshot) }
    let before = TraceTally(counters, heldCount: packer.heldCount)
    let isForStations = batch.verdicts[index] != .unpack
    dispose(index, snapshot: snapshot)
    let after = TraceTally(counters, heldCount: packer.heldCount)
    if isForStations {
      tracer.noteEnd(index, from: before, to: after)
    } else {
      tracer.noteEnd(ofUnopened: index, from: before, to: after)
    }
  }
}

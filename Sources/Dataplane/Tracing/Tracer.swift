// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import Forwarding
internal import Inet
internal import Tables
internal import Telemetry
internal import Wire

/// A worker's recorder: looks at a batch between the stages and says what became of its frames.
///
/// Works on one batch at a time, from `begin` to `end`. It reads what the stages wrote and changes
/// none of it, and is not reached at all while no trace is under way.
struct Tracer: ~Copyable {
  /// Frames still wanted; 0 while no trace is under way.
  private var wanted: UInt32 = 0
  private var filter = TraceFilter()
  /// Bit *i*: row *i* of the batch is being recorded.
  private var rows: UInt64 = 0
  private var records = [64 of TraceRecord](repeating: TraceRecord())
  private var ring: ProducerRing<TraceRecord>
  private let desk: TraceDesk
  private let lost: CounterBlock
  private let worker: UInt16

  /// The recorder of worker number `worker`, which takes orders from `desk`.
  init(desk: TraceDesk, worker: Int) {
    ring = desk.recordEnd()
    lost = desk.lost
    self.desk = desk
    self.worker = UInt16(truncatingIfNeeded: worker)
  }

  /// Whether frames are wanted.
  @inline(__always)
  var isArmed: Bool { wanted > 0 }

  /// Carries out what was ordered.
  mutating func arm() {
    let order = desk.ordered
    filter = order.filter
    wanted = order.count
  }

  /// Wants no more frames.
  mutating func disarm() { wanted = 0 }

  /// Whether a row of the batch is being recorded.
  @inline(__always)
  func isRecording(_ row: Int) -> Bool { rows & (1 << UInt64(row)) != 0 }

  // MARK: One batch

  /// Notes the frames of a batch as they were received at `port`.
  mutating func begin(
    _ batch: borrowing Batch, port: PortIndex, kind: PortKind, memory: borrowing FrameMemory
  ) {
    rows = 0
    guard filter.port == nil || filter.port == port else { return }
    let ticks = cintrinsics_ticks()
    for row in 0..<batch.count {
      let frame = batch.frames[row]
      rows |= 1 << UInt64(row)
      records[row] = TraceRecord()
      records[row].ticks = ticks
      records[row].worker = worker
      records[row].port = port
      records[row].isUnderlay = kind == .underlay
      records[row].receivedLength = frame.length
      // The address for now; `noteOpen` turns it into a distance.
      records[row].innerOffset = frame.address
      copy(memory.bytes(of: frame), to: row)
    }
  }

  private mutating func copy(_ bytes: Span<UInt8>, to row: Int) {
    let count = min(bytes.count, TraceRecord.byteCountMax)
    for index in 0..<count { records[row].bytes[index] = bytes[index] }
    records[row].byteCount = UInt8(truncatingIfNeeded: count)
  }

  /// The frames are what stations see from here on: leaves out those that are not asked for.
  mutating func noteOpen(_ batch: borrowing Batch, memory: borrowing FrameMemory) {
    var left = wanted
    for row in 0..<batch.count where isRecording(row) {
      let frame = batch.frames[row]
      guard left > 0, isAskedFor(memory.bytes(of: frame), batch.verdicts[row]) else {
        rows &= ~(1 << UInt64(row))
        continue
      }
      left &-= 1
      let start = records[row].innerOffset
      records[row].innerOffset = frame.address &- start
      // What came in ESP is in clear by now, where it was.
      if batch.verdicts[row].isAlive, start != frame.address {
        copy(memory.bytes(of: Frame(address: start, length: records[row].receivedLength)), to: row)
      }
      records[row].innerLength = frame.length
      records[row].origin = Location(bits: batch.origins[row])
    }
    noteDrops(batch, in: .open)
  }

  /// A frame that could not be opened shows no station; it is asked for if none is.
  private func isAskedFor(_ bytes: Span<UInt8>, _ verdict: Verdict) -> Bool {
    guard let mac = filter.mac else { return true }
    guard verdict.isAlive, verdict != .unpack, let header = EthernetHeader(bytes) else {
      return false
    }
    return header.source == mac || header.destination == mac
  }

  /// Notes which frames ended in a stage.
  mutating func noteDrops(_ batch: borrowing Batch, in stage: TraceStage) {
    for row in 0..<batch.count where isRecording(row) && records[row].drop == nil {
      guard let reason = batch.verdicts[row].dropReason else { continue }
      records[row].drop = reason
      records[row].dropStage = stage
    }
  }

  /// Notes what the snapshot knows of senders and receivers that got this far.
  mutating func noteStations(_ batch: borrowing Batch, snapshot: ForwardingSnapshot) {
    let stations = snapshot.stations
    for row in 0..<batch.count where isRecording(row) && batch.verdicts[row].isByAddress {
      let sender = stations.value(for: batch.sourceKeys[row])
      let home = Station(value: sender).location
      if sender == PagedTableReader.missing {
        records[row].acquaintance = .unknown
      } else if home == records[row].origin {
        records[row].acquaintance = .inPlace
      } else {
        records[row].acquaintance = .elsewhere
        records[row].home = home
      }
      let receiver = stations.value(for: batch.destinationKeys[row])
      if batch.verdicts[row] == .flood {
        records[row].finding = .group
      } else if receiver == PagedTableReader.missing {
        records[row].finding = .unknown
      } else {
        records[row].finding = .station
        records[row].destination = Station(value: receiver).location
      }
    }
  }

  /// Notes which frames leave for an endpoint, before they get outer headers.
  mutating func noteLookUp(_ batch: borrowing Batch) {
    noteDrops(batch, in: .lookUp)
    for row in 0..<batch.count where isRecording(row) {
      if let peer = batch.verdicts[row].relayed {
        records[row].finding = .relay
        records[row].destination = Location(peer: peer)
        records[row].isForEndpoint = true
      }
      guard let location = batch.verdicts[row].location else { continue }
      records[row].isForEndpoint = location.isEndpoint
    }
  }

  /// Notes how frames leave, after they got outer headers.
  ///
  /// One that leaves by sleeve or sealed has none yet; its length is that in a packet of its own.
  mutating func noteEncapsulate(_ batch: borrowing Batch, snapshot: ForwardingSnapshot) {
    noteDrops(batch, in: .encapsulate)
    for row in 0..<batch.count where isRecording(row) {
      records[row].sentLength = batch.frames[row].length
      if let location = batch.verdicts[row].location {
        records[row].exit = location.port
      } else if let endpoint = batch.verdicts[row].packEndpoint {
        let record = snapshot.endpoints[Int(endpoint.number)]
        records[row].exit = record.port
        records[row].sentLength = Tracer.packedLength(batch.frames[row].length, for: record)
      }
    }
  }

  /// Bytes of the packet in which a frame leaves by sleeve or sealed if it travels alone.
  private static func packedLength(_ length: UInt32, for record: EndpointRecord) -> UInt32 {
    let length = Int(length)
    let packed =
      record.overlay == .sleeve
      ? length &+ SleeveHop(record, isFragmentable: false).lengthAround
      : ESPEnvelope.packetLength(innerLength: length)
    return UInt32(truncatingIfNeeded: packed)
  }

  /// Notes a frame's end by what the worker counted for it, and hands its record over.
  mutating func noteEnd(
    _ row: Int, in stage: TraceStage = .end, from before: TraceTally, to after: TraceTally
  ) {
    // An answer that did not leave is not its row's either.
    let sent = UInt64(max(0, after.sent &- before.sent))
    var dropped: UInt64 = 0
    var first: DropReason?
    for reason in 0..<before.drops.count where after.drops[reason] != before.drops[reason] {
      dropped &+= after.drops[reason] &- before.drops[reason]
      first = first ?? DropReason(rawValue: UInt8(truncatingIfNeeded: reason))
    }
    records[row].sentCount = UInt32(truncatingIfNeeded: sent)
    let receivers = first == .nobodyToFloodTo ? sent : sent &+ dropped
    records[row].receiverCount = UInt32(truncatingIfNeeded: receivers)
    if records[row].drop == nil, let first {
      records[row].drop = first
      records[row].dropStage = stage
    }
    wanted &-= 1
    if !ring.append(records[row]) { lost.add(1, to: 0) }
  }

  /// Notes the end of a frame that was not for a station, if it was dropped; otherwise there is
  /// nothing to say of it.
  mutating func noteEnd(
    ofUnopened row: Int, from before: TraceTally, to after: TraceTally
  ) {
    for reason in 0..<before.drops.count where before.drops[reason] != after.drops[reason] {
      return noteEnd(row, in: .open, from: before, to: after)
    }
  }

  /// The batch is done with: its records can be read.
  mutating func end() {
    if rows != 0 { ring.publish() }
    rows = 0
  }
}

/// What a worker had counted at one moment of the frames it was done with.
struct TraceTally {
  let sent: Int
  /// By reason, with room for more; a test holds the number of reasons against it.
  let drops: [32 of UInt64]

  /// Reads a worker's own counters.
  ///
  /// What was generated, such as an answer to a frame that is too long, is not the frame's sending.
  /// A frame that is in one of the `heldCount` packets that the packer holds, or became a part of
  /// one that left, counts as sent; what becomes of the packet is not its row's any more.
  init(_ counters: CounterBlock, heldCount: Int) {
    let left =
      counters.value(at: WorkerCounter.sent.rawValue)
      &+ counters.value(at: WorkerCounter.merged.rawValue)
      &- counters.value(at: WorkerCounter.generated.rawValue)
    sent = Int(truncatingIfNeeded: left) &+ heldCount
    var drops = [32 of UInt64](repeating: 0)
    for number in 0..<drops.count {
      guard let reason = DropReason(rawValue: UInt8(number)) else { break }
      drops[number] = counters.value(at: WorkerCounter.index(of: reason))
    }
    self.drops = drops
  }
}

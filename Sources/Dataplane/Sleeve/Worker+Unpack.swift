// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Telemetry
internal import Wire

extension Worker {
  /// Takes the records out of the batch's datagrams of sleeve (`Verdict.unpack`), which are opened
  /// by now, and carries the frames to their ends, in as many batches as they need.
  ///
  /// A datagram counts as received once. Each record after the first counts as a copy, and so do
  /// bytes behind the last whole one, which end as `sleeveMalformed`. The last record stays in the
  /// datagram's chunk and the others get chunks of their own, so that frames can leave in the order
  /// of their records while there are more to come.
  @inline(never)
  mutating func unpackAll(_ slot: UInt16, snapshot: ForwardingSnapshot) {
    batch.count = 0
    batch.relayCount = 0
    for place in 0..<datagrams.count { unpack(datagrams[place], slot, snapshot: snapshot) }
    datagrams.removeAll()
    carryRows(slot, snapshot: snapshot)
  }

  private mutating func unpack(
    _ datagram: OpenedDatagrams.Datagram, _ slot: UInt16, snapshot: ForwardingSnapshot
  ) {
    let link = snapshot.endpoints[Int(datagram.link.number)]
    let length = Int(datagram.records.length)
    var offset = 0
    var recordCount = 0
    var specialCount = 0
    repeat {
      if offset > 0 { counters.add(1, to: WorkerCounter.copied.rawValue) }
      guard recordCount < Worker.recordCountMax,
        let record = record(of: datagram.records, at: offset)
      else {
        return drop(datagram.records, .sleeveMalformed)
      }
      recordCount &+= 1
      if record.isSpecial { specialCount &+= 1 }
      let start = offset &+ SleeveRecordHeader.length
      offset = start &+ Int(record.fields.frameLength)
      if record.isSpecial || Int(record.fields.frameLength) < EthernetHeader.length {
        end(
          record, of: datagram, at: start, link,
          isReported: specialCount <= Worker.specialCountMax, snapshot: snapshot)
        if offset == length { memory.give(datagram.records) }
      } else if let frame = take(start..<offset, of: datagram.records) {
        enter(frame, record.fields, link, snapshot: snapshot)
        if batch.count == Batch.capacity { carryRows(slot, snapshot: snapshot) }
      } else {
        counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
      }
    } while offset < length
  }

  /// Records of one datagram that are looked at.
  ///
  /// Weave Net puts in 100 at most, and we no more than fit a chunk. What follows ends as
  /// `sleeveMalformed`.
  private static var recordCountMax: Int { 256 }
  /// Heartbeats and tests of one datagram that are reported.
  ///
  /// Each comes alone; more would take the room of others' reports, and end as `specialMisplaced`.
  private static var specialCountMax: Int { 4 }

  /// Carries the rows on from where frames that came by VXLAN are after `OpenStage`.
  @inline(never)
  private mutating func carryRows(_ slot: UInt16, snapshot: ForwardingSnapshot) {
    guard batch.count > 0 else { return }
    if tracer.isArmed {
      tracer.begin(batch, port: ports.port(of: slot), kind: .underlay, memory: memory)
      traceOpened(isFromUnderlay: true, snapshot: snapshot)
    } else {
      decideOpened(isFromUnderlay: true, snapshot: snapshot)
      disposeAll(snapshot: snapshot)
    }
    batch.count = 0
    batch.relayCount = 0
  }

  // MARK: One record

  /// What a record begins with.
  private struct RecordBeginning {
    let fields: SleeveRecordFields
    /// Whether the frame is one between the ends of the sleeve.
    let isSpecial: Bool

    /// Reads a record's header and as much of the frame as an Ethernet header needs, and no more.
    init?(_ bytes: Span<UInt8>) {
      guard let fields = SleeveRecordFields(beginning: bytes) else { return nil }
      self.fields = fields
      isSpecial =
        Int(fields.frameLength) >= EthernetHeader.length
        && SleeveSpecialFrame.isSpecial(bytes.extracting(droppingFirst: SleeveRecordHeader.length))
    }
  }

  /// The beginning of the record at `offset`; nil if it is not whole.
  @inline(__always)
  private mutating func record(of records: Frame, at offset: Int) -> RecordBeginning? {
    let left = Int(records.length) &- offset
    let beginning: RecordBeginning?
    if records.isChained {
      beginning = Worker.beginning(
        of: records, at: offset, left: left, in: memory, by: &packer.scratch)
    } else {
      let rest = Frame(
        address: records.address &+ UInt32(truncatingIfNeeded: offset),
        length: UInt32(truncatingIfNeeded: left))
      beginning = RecordBeginning(memory.bytes(of: rest))
    }
    guard let beginning,
      Int(beginning.fields.frameLength) <= left &- SleeveRecordHeader.length
    else { return nil }
    return beginning
  }

  /// What a record begins with that may lie in two chunks.
  @inline(never)
  private static func beginning(
    of records: Frame, at offset: Int, left: Int, in memory: borrowing FrameMemory,
    by scratch: inout SleeveScratch
  ) -> RecordBeginning? {
    let length = SleeveRecordHeader.length + EthernetHeader.length
    var bytes = scratch.mutableBytes(0..<min(length, left))
    memory.read(records, from: offset, into: &bytes)
    return RecordBeginning(bytes.span)
  }

  /// The frame that lies in `range` of a datagram's records: the last one in place, others copied.
  ///
  /// Nil if there is no chunk for a copy. After the last one the datagram is no more.
  private mutating func take(_ range: Range<Int>, of records: Frame) -> Frame? {
    let isLast = range.upperBound == Int(records.length)
    let address = records.address &+ UInt32(truncatingIfNeeded: range.lowerBound)
    let frame = Frame(address: address, length: UInt32(truncatingIfNeeded: range.count))
    guard records.isChained else { return isLast ? frame : memory.copy(frame) }
    // The head of a chain has to begin near its chunk's start.
    if isLast, range.lowerBound <= Worker.headLossMax { return frame }
    let copy = memory.copy(records, from: range.lowerBound, length: range.count)
    if isLast { memory.give(records) }
    return copy
  }

  /// Bytes that a chain's head may lose for it to be left as it is.
  private static var headLossMax: Int { SleeveRecordHeader.length }

  /// Puts a frame that came in a record into the next row.
  private mutating func enter(
    _ frame: Frame, _ fields: SleeveRecordFields, _ link: EndpointRecord,
    snapshot: ForwardingSnapshot
  ) {
    let row = batch.count
    let fate = RecordFate(fields, from: link, snapshot)
    batch.frames[row] = frame
    batch.verdicts[row] = fate.verdict
    batch.origins[row] = fate.origin.bits
    batch.networks[row] = fate.network
    if fate.verdict.relayed != nil { batch.relayCount &+= 1 }
    batch.count = row &+ 1
  }

  /// Ends a record whose frame no stage is to see: one between the ends of the sleeve, or one that
  /// is none.
  @inline(never)
  private mutating func end(
    _ record: RecordBeginning, of datagram: OpenedDatagrams.Datagram, at start: Int,
    _ link: EndpointRecord, isReported: Bool, snapshot: ForwardingSnapshot
  ) {
    guard record.isSpecial else {
      return counters.add(1, to: WorkerCounter.index(of: .innerTooShort))
    }
    let sender = PeerName(bits: link.name)
    guard isReported, record.fields.source == sender,
      record.fields.destination == snapshot.name,
      let special = special(
        of: datagram.records, at: start, length: Int(record.fields.frameLength))
    else { return counters.add(1, to: WorkerCounter.index(of: .specialMisplaced)) }
    let (kind, uid): (ControlFrame.Kind, UInt64) =
      switch special {
      case .heartbeat(let connectionUID): (.heartbeat, connectionUID)
      case .fragmentationTest: (.fragmentationTest, 0)
      case .damagedFragmentationTest: (.damagedFragmentationTest, 0)
      case .mtuTest: (.lengthTest, 0)
      }
    report(
      ControlFrame(
        name: sender, overlay: .sleeve, kind: kind, source: datagram.source.address,
        frameLength: Int(record.fields.frameLength), connectionUID: uid))
  }

  /// What a frame between the ends of a sleeve says.
  private mutating func special(
    of records: Frame, at start: Int, length: Int
  ) -> SleeveSpecialFrame? {
    guard records.isChained else {
      let frame = Frame(
        address: records.address &+ UInt32(truncatingIfNeeded: start), length: UInt32(length))
      return SleeveSpecialFrame(memory.bytes(of: frame))
    }
    return Worker.special(records, at: start, length: length, in: memory, by: &packer.scratch)
  }

  /// What it says if it lies in several chunks.
  private static func special(
    _ records: Frame, at start: Int, length: Int, in memory: borrowing FrameMemory,
    by scratch: inout SleeveScratch
  ) -> SleeveSpecialFrame? {
    var bytes = scratch.mutableBytes(0..<length)
    memory.read(records, from: start, into: &bytes)
    return SleeveSpecialFrame(bytes.span)
  }
}

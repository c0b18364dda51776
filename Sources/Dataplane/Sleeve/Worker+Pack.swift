// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Sealing
internal import Tables
internal import Telemetry
internal import Wire
internal import XDP

/// Sends frames by sleeve, or sealed (`Worker+Seal.swift`).
///
/// The first frame of a datagram stays where it is: names and lengths are written before it, where
/// every chunk has room. Others to the same next hop are copied behind it, and their chunks are
/// free again; they count as merged. What is before the first frame:
///
///     outer headers 42 | our name 6 | number 8, tag 16 if sealed | record's header 14 | frame
extension Worker {
  /// Makes a frame a record of a datagram to `endpoint`, or of an endpoint that is reached by
  /// sealed VXLAN a packet; it is sealed and sent at the latest by `flush`.
  ///
  /// `source` is where the frame entered the mesh.
  @inline(never)
  mutating func pack(
    _ frame: Frame, for endpoint: EndpointIndex, from source: MeshEntry,
    snapshot: ForwardingSnapshot
  ) {
    let endpoints = snapshot.endpoints
    guard Int(endpoint.number) < endpoints.count else { return drop(frame, .nextHopUnresolved) }
    let record = endpoints[Int(endpoint.number)]
    guard record.isResolved else { return drop(frame, .nextHopUnresolved) }
    guard record.overlay == .sleeve else { return packSealed(frame, record, from: source) }
    packRecord(frame, record, from: source, snapshot: snapshot)
  }

  private mutating func packRecord(
    _ frame: Frame, _ record: EndpointRecord, from source: MeshEntry,
    snapshot: ForwardingSnapshot
  ) {
    let hop = SleeveHop(record, isFragmentable: false)
    guard frame.length <= min(record.frameLengthMax, hop.frameLengthMax) else {
      return drop(frame, .tooLongForUnderlay)
    }
    let fields = SleeveRecordFields(
      source: source.name, destination: PeerName(bits: record.name),
      frameLength: UInt16(truncatingIfNeeded: frame.length))
    let place = packer.place(of: hop.key)
    if let place, append(frame, fields, at: place) { return }
    if let place { sendOpen(at: place, snapshot: snapshot) }
    let payload = begin(frame, fields, overhead: hop.overhead, snapshot: snapshot)
    guard !payload.isChained else {
      return sendPayload(payload, hop, isFragmentable: false, snapshot: snapshot)
    }
    let freePlace = place ?? packer.freePlace()
    sendOpen(at: freePlace, snapshot: snapshot)
    let limit = min(record.datagramLengthMax, Frame.roomToChunkEnd(from: payload.address))
    packer.open(
      OpenDatagram(payload: payload, room: limit &- min(limit, payload.length), hop: hop),
      at: freePlace)
  }

  /// Seals and sends what `pack` began.
  @inline(never)
  mutating func flush(snapshot: ForwardingSnapshot) {
    for place in 0..<packer.placeCount { sendOpen(at: place, snapshot: snapshot) }
    packer.clear()
    flushSealing()
  }

  /// Sends a frame to `endpoint` in a datagram of its own that the underlay may fragment; the frame
  /// may be a chain.
  @inline(never)
  mutating func packFragmentable(
    _ frame: Frame, for endpoint: EndpointIndex, from source: MeshEntry,
    snapshot: ForwardingSnapshot
  ) {
    guard let record = Worker.sleeve(endpoint, snapshot) else {
      return drop(frame, .nextHopUnresolved)
    }
    sendAlone(
      frame, record, from: source, isFragmentable: true, tooLong: .tooLongForUnderlay,
      snapshot: snapshot)
  }

  /// Sends a frame as the only record of a datagram, after what is open to the same next hop;
  /// `tooLong` is why it is dropped if no datagram can hold it.
  mutating func sendAlone(
    _ frame: Frame, _ record: EndpointRecord, from source: MeshEntry, isFragmentable: Bool,
    tooLong: DropReason, snapshot: ForwardingSnapshot
  ) {
    let hop = SleeveHop(record, isFragmentable: isFragmentable)
    guard frame.length <= hop.frameLengthMax else { return drop(frame, tooLong) }
    if let place = packer.place(of: hop.key) { sendOpen(at: place, snapshot: snapshot) }
    let fields = SleeveRecordFields(
      source: source.name, destination: PeerName(bits: record.name),
      frameLength: UInt16(truncatingIfNeeded: frame.length))
    let payload = begin(frame, fields, overhead: hop.overhead, snapshot: snapshot)
    sendPayload(payload, hop, isFragmentable: isFragmentable, snapshot: snapshot)
  }

  /// How an endpoint is reached by sleeve; nil if it is not.
  @inline(__always)
  private static func sleeve(
    _ endpoint: EndpointIndex, _ snapshot: ForwardingSnapshot
  ) -> EndpointRecord? {
    let endpoints = snapshot.endpoints
    guard Int(endpoint.number) < endpoints.count else { return nil }
    let record = endpoints[Int(endpoint.number)]
    return record.isResolved && record.overlay == .sleeve ? record : nil
  }

  // MARK: Records

  /// Puts our name, room for number and tag, and the record's header before a frame.
  private mutating func begin(
    _ frame: Frame, _ fields: SleeveRecordFields, overhead: Int, snapshot: ForwardingSnapshot
  ) -> Frame {
    var payload = frame
    let length = overhead &+ SleeveRecordHeader.length
    assert(
      Int(frame.address) % UMEM.chunkLength >= SleeveEnvelope.length + length,
      "every chunk has room before its frame")
    payload.address &-= UInt32(truncatingIfNeeded: length)
    payload.length &+= UInt32(truncatingIfNeeded: length)
    var bytes = memory.mutableBytes(at: payload.address, length: length)
    SleeveFields(sender: snapshot.name).encode(into: &bytes)
    fields.encode(into: &bytes, at: overhead)
    return payload
  }

  /// Makes a frame the next record of an open datagram; false if it does not fit.
  private mutating func append(_ frame: Frame, _ fields: SleeveRecordFields, at place: Int) -> Bool
  {
    let length = frame.length &+ UInt32(SleeveRecordHeader.length)
    guard length <= packer.datagrams[place].room else { return false }
    let end = packer.datagrams[place].payload.length
    packer.datagrams[place].room &-= length
    packer.datagrams[place].payload.length &+= length
    let payload = packer.datagrams[place].payload
    var bytes = memory.mutableBytes(
      at: payload.address &+ end, length: SleeveRecordHeader.length)
    fields.encode(into: &bytes)
    memory.copyBytes(
      of: frame, from: 0, count: Int(frame.length), into: payload,
      at: Int(end) &+ SleeveRecordHeader.length)
    memory.give(frame)
    counters.add(1, to: WorkerCounter.merged.rawValue)
    return true
  }

  // MARK: Datagrams

  /// Sends the datagram at a place, if one is open there.
  private mutating func sendOpen(at place: Int, snapshot: ForwardingSnapshot) {
    guard let datagram = packer.take(at: place) else { return }
    sendPayload(datagram.payload, datagram.hop, isFragmentable: false, snapshot: snapshot)
  }

  /// Puts the outer headers before a datagram and sends it, or if it is to be sealed has it wait
  /// for that.
  private mutating func sendPayload(
    _ payload: Frame, _ hop: SleeveHop, isFragmentable: Bool, snapshot: ForwardingSnapshot
  ) {
    let identification = isFragmentable ? packer.identification() : nil
    var frame = payload
    frame.address &-= UInt32(SleeveEnvelope.length)
    frame.length &+= UInt32(SleeveEnvelope.length)
    var header = memory.mutableBytes(at: frame.address, length: SleeveEnvelope.length)
    hop.template.writeSleeve(
      into: &header, payloadLength: Int(payload.length), sourcePort: snapshot.sleevePort,
      identification: identification)
    guard hop.sealing != EndpointRecord.noKey else { return send(frame, to: hop.port) }
    guard !frame.isChained else {
      return sendLong(payload, outer: frame, hop, isFragmentable: isFragmentable)
    }
    if packer.waiting.isFull { flushSealing() }
    packer.waiting.append(
      frame, sealedFrom: SleeveEnvelope.length, key: hop.sealing,
      isFragmentable: isFragmentable, port: hop.port)
  }

  /// Seals a datagram that is in several chunks elsewhere, and sends it after those that wait.
  @inline(never)
  private mutating func sendLong(
    _ payload: Frame, outer frame: Frame, _ hop: SleeveHop, isFragmentable: Bool
  ) {
    flushSealing()
    let range = 0..<Int(payload.length)
    memory.gather(payload, into: &packer.scratch, at: 0)
    guard
      packer.scratch.seal(range, hop.sealing, of: keys, isFragmentable: isFragmentable)
    else { return drop(frame, .keyMissing) }
    memory.write(packer.scratch, length: range.count, into: payload)
    send(frame, to: hop.port)
  }
}

extension Frame {
  /// Bytes from an address to the end of its chunk.
  @inline(__always)
  static func roomToChunkEnd(from address: UInt32) -> UInt32 {
    let chunkLength = UInt32(UMEM.chunkLength)
    return chunkLength &- address & (chunkLength &- 1)
  }
}

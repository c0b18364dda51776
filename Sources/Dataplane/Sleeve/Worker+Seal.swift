// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Sealing
internal import Telemetry
internal import Wire

/// Sends frames as VXLAN in ESP, and seals what waits.
///
/// A frame stays where it is: headers are written before it, where every chunk has room, and ESP's
/// trailer behind it. One for which its chunk has no room there, or that is in several, is sealed
/// elsewhere and goes on as a chain.
extension Worker {
  /// Makes a frame a packet that is sealed and sent at the latest by `flush`.
  @inline(__always)
  mutating func packSealed(_ frame: Frame, _ record: EndpointRecord, from source: MeshEntry) {
    let longest = min(record.frameLengthMax, UInt32(ESPEnvelope.innerLengthMax))
    guard frame.length <= longest else { return drop(frame, .tooLongForUnderlay) }
    let trailerLength = ESPEnvelope.trailerLength(innerLength: Int(frame.length))
    let behind = UInt32(truncatingIfNeeded: trailerLength &+ ESPEnvelope.tagLength)
    guard frame.length &+ behind <= Frame.roomToChunkEnd(from: frame.address) else {
      return sendLongSealed(frame, record, from: source)
    }
    let sourcePort = EncapsulateStage.sourcePort(of: frame, in: memory)
    let packet = Frame(
      address: frame.address &- UInt32(ESPEnvelope.length),
      length: frame.length &+ UInt32(ESPEnvelope.length) &+ behind)
    var header = memory.mutableBytes(at: packet.address, length: ESPEnvelope.length)
    record.template.writeESP(
      into: &header, innerLength: Int(frame.length), sourcePort: sourcePort,
      source: source.shortID)
    var trailer = memory.mutableBytes(
      at: frame.address &+ frame.length, length: trailerLength)
    ESPEnvelope.writeTrailer(into: &trailer)
    if packer.waiting.isFull { flushSealing() }
    packer.waiting.append(
      packet, sealedFrom: ESPEnvelope.outerLength, key: record.sealing, port: record.port)
  }

  /// Seals a frame that is in several chunks, or will be, elsewhere, and sends it after those that
  /// wait.
  @inline(never)
  private mutating func sendLongSealed(
    _ frame: Frame, _ record: EndpointRecord, from source: MeshEntry
  ) {
    flushSealing()
    let length = ESPEnvelope.packetLength(innerLength: Int(frame.length))
    let sourcePort = EncapsulateStage.sourcePort(of: frame, in: memory)
    memory.gather(frame, into: &packer.scratch, at: ESPEnvelope.length)
    packer.scratch.writeESP(
      around: Int(frame.length), record.template, sourcePort: sourcePort, source: source.shortID)
    memory.give(frame)
    guard let packet = memory.takeChain(length: length) else {
      return counters.add(1, to: WorkerCounter.index(of: .noFrameForCopy))
    }
    guard packer.scratch.seal(ESPEnvelope.outerLength..<length, record.sealing, of: keys) else {
      return drop(packet, .keyMissing)
    }
    memory.write(packer.scratch, length: length, into: packet)
    send(packet, to: record.port)
  }

  /// Seals and sends what waits for that; those for one port in a row are sent together.
  @inline(never)
  mutating func flushSealing() {
    guard packer.waiting.count > 0 else { return }
    packer.waiting.seal(in: &memory, with: keys)
    let end = packer.waiting.packets.rows.upperBound
    var row = 0
    while row < end {
      let sentCount = sendSealedRun(from: row)
      if sentCount == 0 { sendSealed(row) }
      row &+= max(sentCount, 1)
    }
    packer.waiting.removeAll()
  }

  /// Sends the packets from `first` on that go through the same port; returns how many were sent.
  @inline(__always)
  private mutating func sendSealedRun(from first: Int) -> Int {
    let verdict = packer.waiting.packets.verdicts[first]
    guard verdict.isForPort else { return 0 }
    let slot = ports.slot(for: Location(bits: verdict.bits).port)
    guard slot < PortTable.capacity else { return 0 }
    let count = ports.send(&packer.waiting.packets, from: first, slot, memory: &memory)
    counters.add(UInt64(count), to: WorkerCounter.sent.rawValue)
    return count
  }

  /// Sends one packet, unless it could not be sealed.
  private mutating func sendSealed(_ row: Int) {
    let packet = packer.waiting.packets.frames[row]
    let verdict = packer.waiting.packets.verdicts[row]
    if let reason = verdict.dropReason { return drop(packet, reason) }
    send(packet, to: Location(bits: verdict.bits).port)
  }
}

extension FrameMemory {
  /// Copies a frame, which may be a chain, to `place` in the scratch memory.
  func gather(_ frame: Frame, into scratch: inout SleeveScratch, at place: Int) {
    var bytes = scratch.mutableBytes(place..<(place &+ Int(frame.length)))
    read(frame, from: 0, into: &bytes)
  }

  /// Writes the first `length` bytes of the scratch memory into a frame, which has as many.
  mutating func write(_ scratch: borrowing SleeveScratch, length: Int, into frame: Frame) {
    scatter(scratch.bytes(length), into: frame, at: 0)
  }
}

extension SleeveScratch {
  /// Seals what lies in `range`; false if there is no key for it.
  mutating func seal(
    _ range: Range<Int>, _ key: UInt16, of keys: FrameKeys, isFragmentable: Bool = false
  ) -> Bool {
    var bytes = mutableBytes(range)
    return keys.seal(&bytes, key: key, isFragmentable: isFragmentable) == .done
  }

  /// Writes headers and trailer around a frame of `innerLength` bytes that is where they leave
  /// room.
  mutating func writeESP(
    around innerLength: Int, _ template: VXLANTemplate, sourcePort: UInt16, source: ShortID?
  ) {
    var header = mutableBytes(0..<ESPEnvelope.length)
    template.writeESP(
      into: &header, innerLength: innerLength, sourcePort: sourcePort, source: source)
    let end = ESPEnvelope.length &+ innerLength
    let length = ESPEnvelope.trailerLength(innerLength: innerLength)
    var trailer = mutableBytes(end..<(end &+ length))
    ESPEnvelope.writeTrailer(into: &trailer)
  }
}

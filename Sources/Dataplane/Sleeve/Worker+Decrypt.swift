// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Sealing
internal import Tables
internal import Wire

/// Opens what came sealed, before any stage sees what is in it.
extension Worker {
  /// Opens the batch's packets of ESP (`Verdict.decrypt`) and datagrams of sleeve
  /// (`Verdict.unpack`), all of them together.
  ///
  /// What was in a packet of ESP goes on as what came from the mesh by VXLAN. A datagram of sleeve,
  /// sealed or in clear, is its records from here on, and in place of a key there is the link that
  /// it came over. What does not open is dropped.
  @inline(never)
  mutating func decryptAll(snapshot: ForwardingSnapshot) {
    arrivals.removeAll()
    var link = SecurityLink()
    for row in batch.rows {
      if batch.verdicts[row] == .decrypt {
        gatherPacket(row, &link, snapshot: snapshot)
      } else if batch.verdicts[row] == .unpack {
        gatherDatagram(row, snapshot: snapshot)
      }
    }
    guard arrivals.count > 0 else { return }
    Worker.open(&arrivals, in: &memory, keys)
    for place in 0..<min(arrivals.count, SealingBatch.capacity) {
      end(arrivals.row(at: place), arrivals.packets.outcome(of: place), snapshot: snapshot)
    }
  }

  @inline(__always)
  private static func open(
    _ arrivals: inout SealedArrivals, in memory: inout FrameMemory, _ keys: FrameKeys
  ) {
    var bytes = memory.allBytes
    keys.open(&arrivals.packets, in: &bytes)
  }

  /// Goes on with what is in a row's packet, or drops it.
  @inline(__always)
  private mutating func end(
    _ row: Int, _ outcome: SealingBatch.Outcome, snapshot: ForwardingSnapshot
  ) {
    guard batch.verdicts[row] == .decrypt else { return endDatagram(row, outcome) }
    guard outcome == .done else {
      batch.verdicts[row] = .drop(Worker.reason(ofPacket: outcome))
      return
    }
    let opened = VXLANOpened(
      packet: memory.bytes(of: batch.frames[row]),
      source: SecuritySource(bits: batch.sourceKeys[row]).address,
      destination: IPv4Address(bits: UInt32(truncatingIfNeeded: batch.destinationKeys[row])))
    enter(opened, row, snapshot: snapshot)
  }

  // MARK: Packets of ESP

  @inline(__always)
  private mutating func gatherPacket(
    _ row: Int, _ link: inout SecurityLink, snapshot: ForwardingSnapshot
  ) {
    let source = SecuritySource(bits: batch.sourceKeys[row])
    if !link.isLink(of: source.identifier) {
      link = SecurityLink.find(source.identifier, snapshot)
    }
    let (linkKeys, refusal) = link.keys(from: source.address)
    if let refusal {
      batch.verdicts[row] = .drop(refusal)
    } else if batch.frames[row].isChained {
      openLongPacket(row, linkKeys, snapshot: snapshot)
    } else {
      arrivals.append(batch.frames[row], row: row, keys: linkKeys)
    }
  }

  /// Opens a packet that is in several chunks, in one piece elsewhere.
  @inline(never)
  private mutating func openLongPacket(
    _ row: Int, _ link: LinkKeys, snapshot: ForwardingSnapshot
  ) {
    let frame = batch.frames[row]
    let (outcome, opened) = Worker.open(
      frame, in: &memory, by: &packer.scratch, keys, link,
      source: SecuritySource(bits: batch.sourceKeys[row]).address,
      destination: IPv4Address(bits: UInt32(truncatingIfNeeded: batch.destinationKeys[row])))
    guard outcome == .done else {
      batch.verdicts[row] = .drop(Worker.reason(ofPacket: outcome))
      return
    }
    if let opened {
      // Padding and tag may have chunks of their own.
      memory.truncate(&batch.frames[row], to: opened.innerOffset &+ opened.innerLength)
    }
    enter(opened, row, snapshot: snapshot)
  }

  private static func open(
    _ frame: Frame, in memory: inout FrameMemory, by scratch: inout SleeveScratch,
    _ keys: FrameKeys, _ link: LinkKeys, source: IPv4Address, destination: IPv4Address
  ) -> (SealingBatch.Outcome, VXLANOpened?) {
    var bytes = scratch.mutableBytes(0..<Int(frame.length))
    memory.read(frame, from: 0, into: &bytes)
    let outcome = keys.open(&bytes, key: link.opening, formerKey: link.formerOpening)
    guard outcome == .done else { return (outcome, nil) }
    memory.scatter(bytes.span, into: frame, at: 0)
    let opened = VXLANOpened(packet: bytes.span, source: source, destination: destination)
    return (outcome, opened)
  }

  /// Goes on with what was in a packet, if it is what neighbours seal.
  @inline(__always)
  private mutating func enter(
    _ opened: VXLANOpened?, _ row: Int, snapshot: ForwardingSnapshot
  ) {
    guard let opened, isMeshPort(opened.destinationPort, snapshot) else {
      batch.verdicts[row] = .drop(.securityUnknown)
      return
    }
    OpenStage.enterFromMesh(opened, isSealed: true, &batch, row, memory, snapshot)
  }

  @inline(__always)
  private func isMeshPort(_ port: UInt16, _ snapshot: ForwardingSnapshot) -> Bool {
    port != 0 && (port == snapshot.meshPort || snapshot.isOtherMeshPort(port))
  }

  private static func reason(ofPacket outcome: SealingBatch.Outcome) -> DropReason {
    switch outcome {
    case .replayed: .replayed
    case .malformed: .outerMalformed
    case .notAuthentic: .notAuthentic
    case .keyMissing, .exhausted, .pending, .done: .securityUnknown
    }
  }

  // MARK: Datagrams of sleeve

  private mutating func gatherDatagram(_ row: Int, snapshot: ForwardingSnapshot) {
    let frame = batch.frames[row]
    // What is shorter than a name and a record's header has nothing in it.
    guard frame.length >= UInt32(SleeveHeader.length + SleeveRecordHeader.length) else {
      batch.verdicts[row] = .drop(.sleeveMalformed)
      return
    }
    let sender = PeerName(bits: memory.word(of: frame, at: 0).byteSwapped >> 16)
    let endpoints = snapshot.endpoints
    guard let link = snapshot.link(to: sender, by: .sleeve), Int(link.number) < endpoints.count
    else {
      batch.verdicts[row] = .drop(.endpointUnknown)
      return
    }
    let record = endpoints[Int(link.number)]
    // There may be no way back yet: who was dialled learns it from a heartbeat.
    guard record.isReceiving else {
      batch.verdicts[row] = .drop(.endpointUnknown)
      return
    }
    batch.destinationKeys[row] = UInt64(link.number)
    gatherDatagram(row, LinkKeys(record))
  }

  private mutating func gatherDatagram(_ row: Int, _ link: LinkKeys) {
    let frame = batch.frames[row]
    if link.opening == EndpointRecord.noKey {
      skip(SleeveHeader.length, of: row)
    } else if frame.length < UInt32(FrameKey.Layout.sleeveTextOffset) {
      batch.verdicts[row] = .drop(.sleeveMalformed)
    } else if frame.isChained {
      endDatagram(row, Worker.open(frame, in: &memory, by: &packer.scratch, keys, link))
    } else {
      arrivals.append(frame, row: row, keys: link)
    }
  }

  /// Opens a datagram that is in several chunks, in one piece elsewhere.
  private static func open(
    _ frame: Frame, in memory: inout FrameMemory, by scratch: inout SleeveScratch,
    _ keys: FrameKeys, _ link: LinkKeys
  ) -> SealingBatch.Outcome {
    var bytes = scratch.mutableBytes(0..<Int(frame.length))
    memory.read(frame, from: 0, into: &bytes)
    let outcome = keys.open(&bytes, key: link.opening, formerKey: link.formerOpening)
    if outcome == .done { memory.scatter(bytes.span, into: frame, at: 0) }
    return outcome
  }

  @inline(__always)
  private mutating func endDatagram(_ row: Int, _ outcome: SealingBatch.Outcome) {
    switch outcome {
    case .done: skip(FrameKey.Layout.sleeveTextOffset, of: row)
    case .replayed: batch.verdicts[row] = .drop(.replayed)
    case .malformed: batch.verdicts[row] = .drop(.sleeveMalformed)
    case .notAuthentic, .keyMissing, .exhausted, .pending:
      batch.verdicts[row] = .drop(.notAuthentic)
    }
  }

  /// The frame begins behind what surrounded the records.
  @inline(__always)
  private mutating func skip(_ count: Int, of row: Int) {
    batch.frames[row].address &+= UInt32(truncatingIfNeeded: count)
    batch.frames[row].length &-= UInt32(truncatingIfNeeded: count)
  }
}

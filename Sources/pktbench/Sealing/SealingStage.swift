// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Inet
import Sealing
import Tables
import Wire

/// What a worker does to seal frames and to open packets, in frame memory like a worker's.
struct SealingStage: ~Copyable {
  /// What is measured at once.
  struct Options: Equatable, Sendable {
    var form: SealedForm
    /// Bytes of a frame.
    var size: Int
    /// Packets that are sealed together.
    var batch: Int
    /// Peers to which frames go in turn, each with a key of its own.
    var peers: Int

    /// What is before all frames in ESP.
    let template = VXLANTemplate(
      sourceMAC: Bench.wireMAC, destinationMAC: Bench.remoteMAC, source: Bench.hostAddress,
      destination: Bench.remoteAddress, destinationPort: Tunnel.port,
      network: VirtualNetwork(bits: 0x123_ABC))

    /// Where the text begins in a chunk.
    var textStart: Int { SealingStage.frameStart - form.headerLength }
  }

  /// Packets, each in a chunk of its own.
  static let packetCount = 1024
  /// Bytes of a chunk.
  static let chunkLength = MappedMemory.pageLength
  /// Where a frame begins in its chunk.
  static let frameStart = 256

  fileprivate static let length = packetCount * chunkLength

  private let roster: PacketRoster
  private var frames: FrameMemory
  private var batch: SealingBatch

  /// Gives a frame to each chunk and two keys to each peer.
  init(_ options: Options) throws {
    let memory = try MappedMemory(length: SealingStage.length, name: "pktbench-frames")
    roster = try PacketRoster(options)
    frames = FrameMemory(memory: memory)
    batch = SealingBatch()
    var bytes = frames.mutableBytes(at: 0, length: SealingStage.length)
    for packet in 0..<SealingStage.packetCount {
      for index in 0..<options.size {
        bytes[SealingStage.frameStart(packet) + index] = SealingStage.byte(index, of: packet)
      }
    }
  }

  private static func frameStart(_ packet: Int) -> Int {
    packet * SealingStage.chunkLength + SealingStage.frameStart
  }

  /// What frame `packet` has at a place.
  private static func byte(_ index: Int, of packet: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: index &* 7 &+ packet)
  }

  /// Seals what is in some chunks; returns how many packets that became.
  mutating func seal(_ packets: Range<Int>) -> Int {
    roster.seal(packets, with: &batch, in: &frames)
  }

  /// Opens the packets in some chunks and looks at what surrounds their frames; returns how many of
  /// them were right.
  mutating func open(_ packets: Range<Int>) -> Int {
    roster.open(packets, with: &batch, in: &frames)
  }

  /// Whether every frame is what it was in the beginning.
  mutating func hasItsFrames() -> Bool {
    let size = roster.options.size
    let memory = frames.mutableBytes(at: 0, length: SealingStage.length)
    for packet in 0..<SealingStage.packetCount {
      for index in 0..<size
      where memory[SealingStage.frameStart(packet) + index]
        != SealingStage.byte(index, of: packet)
      {
        return false
      }
    }
    return true
  }
}

/// Which packet has which key, and how all of them are sealed and opened.
private struct PacketRoster {
  let options: SealingStage.Options
  private let keys = FrameKeys()
  /// By packet.
  private let sealing: [UInt16]
  private let opening: [UInt16]

  init(_ options: SealingStage.Options) throws {
    var places: [(sealing: UInt16, opening: UInt16)] = []
    for peer in 0..<options.peers {
      guard let pair = options.form.keys(peer: peer), let sealing = keys.add(pair.sealing),
        let opening = keys.add(pair.opening)
      else {
        throw ScenarioError(
          .unavailable, "\(options.form.rawValue): there is no room for the keys of a peer")
      }
      places.append((sealing, opening))
    }
    self.options = options
    sealing = (0..<SealingStage.packetCount).map { places[$0 % options.peers].sealing }
    opening = (0..<SealingStage.packetCount).map { places[$0 % options.peers].opening }
  }

  func seal(
    _ packets: Range<Int>, with batch: inout SealingBatch, in frames: inout FrameMemory
  ) -> Int {
    var memory = frames.mutableBytes(at: 0, length: SealingStage.length)
    var count = 0
    var packet = packets.lowerBound
    while packet < packets.upperBound {
      batch.removeAll()
      let end = min(packet &+ options.batch, packets.upperBound)
      while packet < end {
        let description = options.packet(packet, key: sealing[packet])
        options.writeHeaders(at: Int(description.offset), into: &memory)
        batch.append(description)
        packet &+= 1
      }
      keys.seal(&batch, in: &memory)
      for row in 0..<batch.count where batch.outcome(of: row) == .done { count &+= 1 }
    }
    return count
  }

  func open(
    _ packets: Range<Int>, with batch: inout SealingBatch, in frames: inout FrameMemory
  ) -> Int {
    var memory = frames.mutableBytes(at: 0, length: SealingStage.length)
    var count = 0
    var packet = packets.lowerBound
    while packet < packets.upperBound {
      batch.removeAll()
      let end = min(packet &+ options.batch, packets.upperBound)
      while packet < end {
        batch.append(options.packet(packet, key: opening[packet]))
        packet &+= 1
      }
      keys.open(&batch, in: &memory)
      for row in 0..<batch.count where batch.outcome(of: row) == .done {
        if options.isWhole(at: Int(batch[row].offset), in: memory) { count &+= 1 }
      }
    }
    return count
  }
}

extension SealingStage.Options {
  /// A packet with this key.
  @inline(__always)
  fileprivate func packet(_ number: Int, key: UInt16) -> SealingBatch.Packet {
    let start = number &* SealingStage.chunkLength &+ textStart &- form.textOffset
    return SealingBatch.Packet(
      offset: UInt32(truncatingIfNeeded: start),
      length: UInt32(truncatingIfNeeded: form.packetLength(frame: size)), key: key)
  }

  /// Writes what a packet has around its frame, but for what sealing writes.
  @inline(__always)
  fileprivate func writeHeaders(at start: Int, into memory: inout MutableSpan<UInt8>) {
    let text = start &+ form.textOffset
    guard form == .esp else {
      SleeveFields(sender: Self.sender).encode(into: &memory, at: start)
      return SleeveRecordFields(
        source: Self.sender, destination: Self.sender,
        frameLength: UInt16(truncatingIfNeeded: size)
      ).encode(into: &memory, at: text)
    }
    let frame = text &+ form.headerLength
    var header = memory._mutatingExtracting(frame &- ESPEnvelope.length..<frame)
    template.writeESP(into: &header, innerLength: size, sourcePort: 50_000)
    let end = frame &+ size
    var trailer = memory._mutatingExtracting(end..<end &+ form.trailerLength(frame: size))
    ESPEnvelope.writeTrailer(into: &trailer)
  }

  /// Whether an opened packet holds one frame of the right length.
  @inline(__always)
  fileprivate func isWhole(at start: Int, in memory: borrowing MutableSpan<UInt8>) -> Bool {
    if form == .esp {
      let packet = memory.span.extracting(start..<start &+ form.packetLength(frame: size))
      let opened = VXLANOpened(
        packet: packet, source: template.destination, destination: template.destination)
      return opened?.innerLength == size
    }
    let text = start &+ form.textOffset
    var records = SleeveRecords(
      memory.span.extracting(text..<text &+ form.textLength(frame: size)))
    return records.next()?.frameLength == size
  }

  private static var sender: PeerName { PeerName(bits: 0x02_00_00_00_00_01) }
}

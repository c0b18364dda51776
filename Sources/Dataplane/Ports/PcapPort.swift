// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Tables
public import Telemetry
internal import XDP

/// A port whose frames come from a capture file and go into another.
///
/// It plays the kernel's half of the rings, between two breaths and on the same thread: `deliver()`
/// receives the next frame of the file, `collect(at:)` sends what the worker wants sent. Either
/// file may be absent: such a port is silent, or forgets what it is given.
public final class PcapPort {
  /// A port and its files.
  public struct Options: Sendable {
    /// The index everybody knows it by.
    public var port: PortIndex
    /// What it is to the switch.
    public var kind: PortKind
    /// The file its frames come from.
    public var input: String?
    /// The file that gets what it sends.
    public var output: String?

    /// Gathers what a port is.
    public init(port: PortIndex, kind: PortKind, input: String?, output: String?) {
      self.port = port
      self.kind = kind
      self.input = input
      self.output = output
    }
  }

  /// What became of the frames of the files.
  public struct Counts: Sendable, Equatable {
    /// Frames given to the worker.
    public var delivered: UInt64 = 0
    /// Of these, those whose end the capture had left out.
    public var cut: UInt64 = 0
    /// Frames that are longer than any packet, and were left out.
    public var tooLong: UInt64 = 0
    /// Frames that left.
    public var sent: UInt64 = 0
  }

  /// What the port is.
  public let options: Options
  /// What became of frames so far.
  public private(set) var counts = Counts()
  /// The next frame of the file; nil at its end.
  public private(set) var upcoming: PcapRecord?
  private var reader: PcapReader?
  private var writer: PcapWriter?
  private var kernel: KernelRings
  private let rings: MemoryRings
  private let frames: MappedMemory
  private var scratch: [UInt8] = []

  /// Opens both files; `frames` is the worker's memory.
  public init(
    _ options: Options, frames: MappedMemory, ringCapacity: UInt32 = 1024
  ) throws {
    self.options = options
    self.frames = frames
    reader = if let path = options.input { try PcapReader(path: path) } else { nil }
    writer = if let path = options.output { try PcapWriter(path: path) } else { nil }
    rings = try MemoryRings(capacity: ringCapacity)
    kernel = rings.kernelHalf()
    try readAhead()
  }

  /// The port as the worker shall see it; taken once.
  ///
  /// The object must outlive it.
  public func queue(counters: CounterBlock) -> PortQueue {
    PortQueue(
      PortQueue.Options(
        port: options.port, kind: options.kind, backing: .memory,
        frameLengthMax: Frame.lengthMax, fillTarget: 64),
      rings: rings.socketHalf(), counters: counters)
  }

  /// Receives the upcoming frame; false, with nothing done, if the worker has no chunk or no room
  /// for it, which a breath or two cures.
  public func deliver() throws(PcapError) -> Bool {
    guard let record = upcoming else { return true }
    if record.bytes.count > Frame.lengthMax {
      counts.tooLong += 1
    } else {
      guard kernel.receive(record.bytes.span, in: frames) else { return false }
      counts.delivered += 1
      if record.isCut { counts.cut += 1 }
    }
    try readAhead()
    return true
  }

  /// Sends everything the worker put on the TX ring, as of a time in nanoseconds since 1970.
  public func collect(at nanoseconds: UInt64) throws(PcapError) {
    var records: [PcapRecord] = []
    let isWanted = writer != nil
    let count = kernel.transmit(in: frames, scratch: &scratch) { bytes in
      guard isWanted else { return }
      records.append(
        PcapRecord(nanoseconds: nanoseconds, bytes: bytes.indices.map { bytes[$0] }))
    }
    counts.sent += UInt64(count)
    for record in records { try writer?.append(record) }
  }

  /// Completes the output file.
  public func finish() throws(PcapError) { try writer?.flush() }

  private func readAhead() throws(PcapError) { upcoming = try reader?.next() }
}

// SPDX-License-Identifier: Apache-2.0

internal import CXDP
public import Forwarding
internal import Glibc
internal import Tables
public import Telemetry
public import XDP

/// What stands behind a port's rings.
public enum PortBacking: BitwiseCopyable, Sendable {
  /// An AF_XDP socket with this descriptor.
  case socket(CInt)
  /// UDP sockets, read and written in the breath.
  case datagrams(SocketBacking)
  /// Memory; somebody in this process holds the other halves.
  case memory
}

/// What a port is to the switch.
public enum PortKind: BitwiseCopyable, Sendable, Equatable {
  /// The outer network: frames carry outer headers.
  case underlay
  /// A container's or the host's own interface.
  case station
}

/// One queue of one port, as the worker that serves it sees it.
public struct PortQueue: ~Copyable {
  // Hot: touched for every batch.
  var rings: SocketRings
  /// Frames on the TX ring that were not published yet.
  var unpublished = 0
  /// Frames the kernel has for sending and has not completed.
  var inFlight = 0
  /// Chunks wanted on the fill ring; follows what bursts take from it.
  var fillTarget: UInt32
  /// The most that was missing on the fill ring since the last `lowerFillTarget`.
  var drainedMost: UInt32 = 0
  /// The kernel stopped before the TX ring was empty.
  var owesWakeup = false
  /// Full batches since the RX ring was last found without one.
  var fullBatches: UInt32 = 0
  /// The worker's loop looks at the RX ring; otherwise the kernel tells when it has something.
  var isPolled = false
  /// The queue is on the list of those that have something to hand to the kernel or to take back.
  var isPending = false
  /// Something was received since the last `settle`.
  var wasBusy = false
  /// What is received goes through the slot's `FaultInjector`.
  var hasFaults = false
  /// Whether the kernel takes frames in several pieces.
  let isMultiPiece: Bool
  /// Not 0 while the rest of a frame that has too many pieces is still to come.
  var skippedOptions: UInt32 = 0
  let backing: PortBacking
  let kind: PortKind
  /// The port this is a queue of.
  public let port: PortIndex
  /// The longest frame the port carries, in bytes with its Ethernet header.
  let frameLengthMax: UInt32
  /// Shorter frames are in one piece, and go through the port.
  private let runLimit: UInt32
  let counters: CounterBlock

  // Cold.
  /// The fill target before an overload lowered it; 0 if none did.
  var usualFillTarget: UInt32 = 0
  /// Frames received since `takeBroken` that ended here, as their pieces do not make a frame.
  var brokenCount = 0
  var fillTargetMin: UInt32
  let fillTargetMax: UInt32

  /// Describes a queue to be served.
  public struct Options: Sendable {
    /// The port this is a queue of.
    public var port: PortIndex
    /// What the port is to the switch.
    public var kind: PortKind
    /// What stands behind the rings.
    public var backing: PortBacking
    /// The longest frame the port carries, in bytes with its Ethernet header.
    public var frameLengthMax: Int
    /// Chunks on the fill ring to begin with, and while nothing happens.
    public var fillTarget: UInt32
    /// Whether what stands behind the rings takes frames in several pieces.
    public var isMultiPiece = true

    /// Gathers what a queue is.
    public init(
      port: PortIndex, kind: PortKind, backing: PortBacking, frameLengthMax: Int,
      fillTarget: UInt32
    ) {
      self.port = port
      self.kind = kind
      self.backing = backing
      self.frameLengthMax = frameLengthMax
      self.fillTarget = fillTarget
    }
  }

  /// A queue over `rings`, counting into `counters` (`PortCounter`).
  public init(_ options: Options, rings: consuming SocketRings, counters: CounterBlock) {
    let capacity = rings.fill.capacity
    self.rings = rings
    kind = options.kind
    backing = options.backing
    port = options.port
    isMultiPiece = options.isMultiPiece
    frameLengthMax = UInt32(options.frameLengthMax)
    runLimit = min(frameLengthMax, Frame.surelyWholeLengthMax) + 1
    fillTarget = min(options.fillTarget, capacity)
    fillTargetMin = fillTarget
    fillTargetMax = capacity
    self.counters = counters
  }

  /// Draws up to a batch of frames; their chunks are the worker's from here on.
  ///
  /// False if there was nothing on the ring and nothing is owed; true, perhaps without a frame,
  /// if there was or is.
  ///
  /// Frames in one piece, the rule, pay for looking at the options of all descriptors together; if
  /// they say that there is a chain, all are looked at once more (`drawChains`).
  ///
  /// A descriptor that leaves the memory cannot come from a sound kernel; it is left out, and its
  /// chunk comes back when the queue is closed.
  @inline(__always)
  @discardableResult
  mutating func receive(into batch: inout Batch, memory: inout FrameMemory) -> Bool {
    drawFromSockets()
    let ready = rings.receive.ready(upTo: UInt32(Batch.capacity))
    guard ready > 0 else {
      batch.count = 0
      fullBatches = 0
      return owesWakeup
    }
    var options = skippedOptions
    var bytes = PortQueue.draw(
      ready, from: rings.receive, into: &batch, options: &options, memory: memory)
    if options & XDPDescriptor.continued == 0 {
      rings.receive.advance(by: ready)
    } else {
      bytes = drawChains(ready, into: &batch, memory: &memory)
    }
    rings.receive.release()
    let count = batch.count
    fullBatches = count == Batch.capacity ? fullBatches &+ 1 : 0
    guard count > 0 else { return true }
    counters.add(UInt64(count), to: PortCounter.receivedFrames.rawValue)
    counters.add(bytes, to: PortCounter.receivedBytes.rawValue)
    return true
  }

  /// Puts a frame on the TX ring; false if that has no room for all of it.
  @inline(__always)
  mutating func send(_ frame: Frame, slot: UInt16, memory: inout FrameMemory) -> Bool {
    guard frame.length <= Frame.surelyWholeLengthMax else {
      return sendLong(frame, slot: slot, memory: &memory)
    }
    guard rings.transmit.room(for: 1) > 0 else { return false }
    let descriptors = unsafe rings.transmit.upcoming
    descriptors[0] = XDPDescriptor(address: UInt64(frame.address), length: frame.length)
    rings.transmit.advance(by: 1)
    memory.setOwner(of: frame.address, slot)
    unpublished &+= 1
    inFlight &+= 1
    counters.add(1, to: PortCounter.sentFrames.rawValue)
    counters.add(UInt64(frame.length), to: PortCounter.sentBytes.rawValue)
    return true
  }

  /// Reads the `ready` next descriptors as frames in one piece and adds their options up; returns
  /// how many bytes they describe.
  @inline(__always)
  private static func draw(
    _ ready: UInt32, from ring: borrowing ConsumerRing<XDPDescriptor>, into batch: inout Batch,
    options: inout UInt32, memory: borrowing FrameMemory
  ) -> UInt64 {
    let descriptors = unsafe ring.upcoming
    var count = 0
    var bytes: UInt64 = 0
    var all = options
    for place in 0..<Int(ready) {
      let descriptor = descriptors[place]
      all |= descriptor.options
      guard memory.contains(address: descriptor.address, length: descriptor.length) else {
        continue
      }
      batch.frames[count] = Frame(
        address: UInt32(truncatingIfNeeded: descriptor.address), length: descriptor.length)
      bytes &+= UInt64(descriptor.length)
      count &+= 1
    }
    batch.count = count
    options = all
    return bytes
  }

  /// Puts the frames from row `first` on, as long as they have its verdict, on the TX ring.
  ///
  /// Stops before a frame that is longer than the port carries or may be a chain, and when the ring
  /// is full; returns how many it put there. What a run has in common is looked at once and counted
  /// once (`pipeline.stage.send` of `pktbench`).
  @inline(__always)
  mutating func send(
    _ batch: inout Batch, from first: Int, slot: UInt16, memory: inout FrameMemory
  ) -> Int {
    let (count, bytes) = PortQueue.append(
      &batch, from: first, shorterThan: runLimit, to: &rings.transmit, slot: slot,
      memory: &memory)
    unpublished &+= count
    inFlight &+= count
    counters.add(UInt64(count), to: PortCounter.sentFrames.rawValue)
    counters.add(bytes, to: PortCounter.sentBytes.rawValue)
    return count
  }

  @inline(__always)
  private static func append(
    _ batch: inout Batch, from first: Int, shorterThan limit: UInt32,
    to ring: inout ProducerRing<XDPDescriptor>, slot: UInt16, memory: inout FrameMemory
  ) -> (count: Int, bytes: UInt64) {
    let verdict = batch.verdicts[first]
    let room = Int(ring.room(for: UInt32(Batch.capacity)))
    let end = min(batch.rows.upperBound, first &+ room)
    let descriptors = unsafe ring.upcoming
    var row = first
    var bytes: UInt64 = 0
    while row < end, batch.verdicts[row] == verdict, batch.frames[row].length < limit {
      let frame = batch.frames[row]
      descriptors[row &- first] = XDPDescriptor(
        address: UInt64(frame.address), length: frame.length)
      memory.setOwner(of: frame.address, slot)
      bytes &+= UInt64(frame.length)
      row &+= 1
    }
    let count = row &- first
    ring.advance(by: UInt32(truncatingIfNeeded: count))
    return (count, bytes)
  }

  /// Whether a fill ring that lacks so many chunks is to have twice as many.
  ///
  /// Not if nobody used up what is missing, as at first, and not while more comes in than can be
  /// dealt with: a longer queue makes no frame more of that, and its chunks leave the cache (in
  /// `pktbench encap` that costs some per cent).
  @inline(__always)
  private func mayGrow(_ missing: UInt32, _ memory: borrowing FrameMemory) -> Bool {
    guard missing &* 2 >= fillTarget, wasBusy, fillTarget < fillTargetMax, !isOverloaded else {
      return false
    }
    return PortQueue.hasRoom(for: 2 &* fillTarget, memory)
  }

  /// Whether enough chunks stay free if a fill ring has that many.
  @inline(__always)
  private static func hasRoom(for target: UInt32, _ memory: borrowing FrameMemory) -> Bool {
    memory.freeCount >= Int(target) &* FrameBudget.reserve
      && memory.freeCount &- Int(target) >= memory.fillFloor
  }

  /// Whether whole rings came in without a pause, more of them than a worker that was kept from
  /// its work has to catch up on.
  @inline(__always)
  private var isOverloaded: Bool { fullBatches >= PortQueue.overloadBatches }

  /// Tops the fill ring up to its target.
  ///
  /// The target doubles if half of it was missing, as long as `FrameBudget.reserve` times as much
  /// stays free, and more than `FrameBudget.floor`.
  @inline(__always)
  mutating func replenish(slot: UInt16, memory: inout FrameMemory) {
    if isOverloaded {
      lowerForOverload()
    } else if usualFillTarget > 0 {
      endOverload(slot: slot, memory: &memory)
    }
    let there = rings.fill.outstandingCount()
    guard there < fillTarget else { return }
    var missing = fillTarget &- there
    drainedMost = max(drainedMost, missing)
    if mayGrow(missing, memory) {
      let grown = min(2 &* fillTarget, fillTargetMax)
      missing &+= grown &- fillTarget
      fillTarget = grown
    }
    memory.take(upTo: missing, for: slot, onto: &rings.fill)
    rings.fill.publish()
  }

  @inline(__always)
  private mutating func lowerForOverload() {
    let lowered = max(fillTargetMin, PortQueue.overloadFill)
    guard fillTarget > lowered else { return }
    usualFillTarget = fillTarget
    fillTarget = lowered
  }

  /// Gives the fill ring at once what it had before an overload, as far as chunks are left: the
  /// next burst is as long as the last.
  @inline(never)
  private mutating func endOverload(slot: UInt16, memory: inout FrameMemory) {
    let usual = usualFillTarget
    usualFillTarget = 0
    guard usual > fillTarget, PortQueue.hasRoom(for: usual, memory) else { return }
    fillTarget = usual
    // Here, so that what is missing does not look as if a burst had used it up.
    let there = rings.fill.outstandingCount()
    guard there < usual else { return }
    memory.take(upTo: usual &- there, for: slot, onto: &rings.fill)
    rings.fill.publish()
  }

  /// Begins with fewer chunks the fewer are left, if it is a station's: there may be a thousand of
  /// them, and most will be silent.
  mutating func startModestly(free: Int, of all: Int) {
    guard kind == .station, free * 4 < all * 3 else { return }
    let modest = FrameBudget.stationFill(free: free, of: all)
    let more = FrameBudget.longFrameFill(frameLengthMax: Int(frameLengthMax))
    fillTarget = min(fillTarget, UInt32(modest + more))
    fillTargetMin = fillTarget
  }

  /// Says whether the queue received nothing since the last call.
  mutating func settle() -> Bool {
    defer { wasBusy = false }
    return !wasBusy
  }

  /// Halves a fill target of which, since the last call, no burst took more than an eighth.
  mutating func lowerFillTarget() {
    if drainedMost &* 8 < fillTarget { fillTarget = max(fillTarget / 2, fillTargetMin) }
    drainedMost = 0
  }

  /// Whether a breath has something to do for the queue besides receiving.
  var isUnfinished: Bool {
    unpublished > 0 || owesWakeup || inFlight > 0 || rings.fill.outstandingCountSeen < fillTarget
      || usualFillTarget > 0
  }

  /// Takes back the chunks of all frames that have been sent.
  @inline(__always)
  mutating func complete(memory: inout FrameMemory) {
    guard inFlight > 0 else { return }
    inFlight &-= memory.giveAll(from: &rings.completion)
    rings.completion.release()
  }

  /// Publishes what `send` put on the TX ring and makes the kernel send it.
  ///
  /// Returns the number of wakeups. A copying socket sends inside the call and may stop early; the
  /// call is repeated while it does, a bounded number of times, and the rest is owed.
  @inline(__always)
  mutating func flush(memory: inout FrameMemory) -> Int {
    guard unpublished > 0 || owesWakeup else { return 0 }
    unpublished = 0
    rings.transmit.publish()
    guard case .socket(let descriptor) = backing else { return sendThroughSockets() }
    owesWakeup = true
    for attempt in 1...PortQueue.wakeupsMax {
      let error = cxdp_wakeup(descriptor)
      complete(memory: &memory)
      let isUnsent = rings.transmit.outstandingCount() > 0
      if !isUnsent || (error != EAGAIN && error != EBUSY && error != ENOBUFS) {
        owesWakeup = isUnsent && error == 0
        return attempt
      }
    }
    return PortQueue.wakeupsMax
  }

  private static var wakeupsMax: Int { 8 }
  private static var overloadBatches: UInt32 { 16 &* UMEM.ringCapacity / UInt32(Batch.capacity) }
  private static var overloadFill: UInt32 { 4 &* UInt32(Batch.capacity) }
}

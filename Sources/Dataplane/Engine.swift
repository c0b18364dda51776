// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import CLinux
public import Forwarding
internal import Glibc
public import Sealing
internal import Synchronization
internal import Telemetry
internal import XDP

/// The data plane as its owner sees it: workers on their cores, ports that come and go, counters.
///
/// Every call blocks until the workers have done their part, which takes microseconds when they are
/// awake; none of them stops another port's traffic. Calls may come from any thread, one at a time.
public final class Engine: Sendable {
  /// How an engine is made.
  public struct Options: Sendable {
    /// One worker on each of these cores.
    public var cores: [Int]
    /// Whether idle workers sleep.
    public var idle: IdleMode
    /// Chunks of 4 KiB for each worker.
    public var frameCount: Int
    /// Whether ports take frames in several pieces, longer than a chunk, where the kernel can.
    public var isMultiPiece = true

    /// Gathers how to run.
    public init(cores: [Int], idle: IdleMode, frameCount: Int) {
      self.cores = cores
      self.idle = idle
      self.frameCount = frameCount
    }
  }

  /// Workers that an engine can have.
  public static var workerCountMax: Int { SnapshotMemory.workerCountMax }

  /// How the engine was made.
  public let options: Options
  /// What seals and opens; records in the snapshot name places in it.
  public let keys: FrameKeys
  let hosts: [WorkerHost]
  /// Signalled by workers after new hints; poll it for reading, then `clearHintEvent()`.
  public let hintEvent: CInt
  let ports = Mutex<[PortIndex: OpenPort]>([:])
  /// What the first self test found the cheaper mode; nil before.
  let cheaperMode = Mutex<AttachMode?>(nil)
  /// Queues whose worker did not answer when they were to be closed; it may still use their rings.
  let abandoned = Mutex<[OpenPort.Queue]>([])

  /// Maps memory and starts the workers.
  ///
  /// The snapshot memory has a published snapshot.
  public init(options: Options, snapshot: SnapshotMemory) throws(DataplaneError) {
    self.options = options
    let keys = FrameKeys()
    self.keys = keys
    let count = options.cores.count
    guard count > 0, count <= Engine.workerCountMax else { throw .workerCount(count) }
    let handOver: HandOverMemory?
    do { handOver = count > 1 ? try HandOverMemory(workerCount: count) : nil } catch {
      throw .memory(error)
    }
    let events = try Engine.makeEvents(1 + count)
    hintEvent = events[0]
    let common = WorkerHost.Common(
      options: options, snapshot: snapshot, hintEvent: hintEvent, keys: keys,
      events: Array(events.dropFirst()), handOver: handOver)
    var hosts: [WorkerHost] = []
    do throws(DataplaneError) {
      for (index, core) in options.cores.enumerated() {
        hosts.append(try WorkerHost(index: index, core: core, common: common))
      }
    } catch {
      for host in hosts { host.stop() }
      for event in events { close(event) }
      throw error
    }
    self.hosts = hosts
  }

  /// Makes event counters; all of them or none.
  private static func makeEvents(_ count: Int) throws(DataplaneError) -> [CInt] {
    var events: [CInt] = []
    for _ in 0..<count {
      let event = clinux_event()
      guard event >= 0 else {
        for made in events { close(made) }
        throw .event(number: -event)
      }
      events.append(event)
    }
    return events
  }

  /// The longest frame that ports carry, in bytes with the Ethernet header: that of the largest MTU
  /// there is, or what fits a chunk where the kernel knows no longer ones (before Linux 6.6).
  public var frameLengthMax: Int {
    options.isMultiPiece && UMEM.isMultiPieceKnown ? Frame.lengthMax : UMEM.frameLengthMax
  }

  /// Workers of the engine.
  public var workerCount: Int { hosts.count }

  /// The hint event was seen.
  public func clearHintEvent() { clinux_event_clear(hintEvent) }

  /// Takes every hint there is.
  public func takeHints(_ body: (Hint) -> Void) {
    for host in hosts { host.takeHints(body) }
  }

  /// Takes every report there is.
  public func takeControlFrames(_ body: (ControlFrame) -> Void) {
    for host in hosts { host.takeControlFrames(body) }
  }

  /// Has frames sent over links to neighbours, in order, by the first worker; false if it has too
  /// many to send already.
  ///
  /// Links are looked up in the snapshot that is published when the worker comes to them; orders
  /// for links that are not there are left out.
  @discardableResult
  public func order(_ orders: [ControlOrder]) -> Bool { hosts[0].order(orders) }

  /// Closes every port that is still open, newest first, and ends the workers.
  ///
  /// - Parameter keepsPrograms: leaves stations' ports with their programs, which drop everything
  ///   until a successor serves them.
  /// - Returns: what could not be done; all the rest was.
  @discardableResult
  public func stop(keepsPrograms: Bool = false) -> [DataplaneError] {
    let open = ports.withLock { $0.keys.sorted { $0.number > $1.number } }
    var errors: [DataplaneError] = []
    for port in open { errors += closePort(port, keepsProgram: keepsPrograms) }
    for host in hosts { host.stop() }
    // Only now, as a worker signals the events of others.
    for host in hosts { close(host.event) }
    close(hintEvent)
    return errors
  }

  /// The clock that `WorkerCounter.busyTicks` is counted with, now.
  public var ticks: UInt64 { cintrinsics_ticks() }

  /// One worker's counters, as of between two batches; nil if it never pauses long enough to look.
  public func counters(of worker: Int) -> [UInt64]? { hosts[worker].ends.counters.values() }

  /// All workers' frames.
  public func account() -> FrameAccount? {
    var sum: FrameAccount?
    for worker in 0..<workerCount {
      guard let values = counters(of: worker) else { return nil }
      let account = FrameAccount(values: values)
      sum = sum.map { $0 + account } ?? account
    }
    return sum
  }
}

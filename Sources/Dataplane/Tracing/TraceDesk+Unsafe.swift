// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Synchronization
public import Tables
internal import Telemetry

/// Where a trace is ordered from a worker and where its records are picked up.
///
/// The engine writes the order, then tells the worker by command; the worker reads it when it
/// carries the command out, and never again. Records come back through a ring; one that finds it
/// full is lost and counted, and the worker goes on.
///
/// Proof of safety: both pieces of memory have the sizes that are used, live as long as this value,
/// which the worker and the engine both hold, and are never reached by both sides at once: the
/// order by the hand-over above, the counters because they are words that one side writes.
@safe
public final class TraceDesk: @unchecked Sendable {
  /// What the engine asks for.
  struct Order: BitwiseCopyable {
    var filter = TraceFilter()
    var count: UInt32 = 0
  }

  /// Records the ring holds: as many as one trace can ask for, so that none is lost unless the
  /// engine leaves an earlier trace's records there.
  static var capacity: UInt32 { 1024 }

  private let order: UnsafeMutablePointer<Order>
  private let counterWords: UnsafeMutablePointer<UInt64>
  private let records: RingMemory<TraceRecord>
  private let end: Mutex<ConsumerRing<TraceRecord>>

  /// A desk with nothing on it; the ring's memory costs nothing until it is used.
  public init() throws(MemoryError) {
    let ring = try RingMemory<TraceRecord>(capacity: TraceDesk.capacity, name: "weft-trace")
    records = ring
    end = Mutex(ring.consumerHalf())
    unsafe order = .allocate(capacity: 1)
    unsafe order.initialize(to: Order())
    let words = CounterBlock.wordCount(for: 1)
    unsafe counterWords = .allocate(capacity: words)
    unsafe counterWords.initialize(repeating: 0, count: words)
  }

  deinit {
    unsafe order.deallocate()
    unsafe counterWords.deallocate()
  }

  // MARK: The worker's side

  /// Records that found the ring full.
  var lost: CounterBlock { unsafe CounterBlock(words: counterWords, count: 1) }

  /// The end that records are put in at; taken once.
  func recordEnd() -> ProducerRing<TraceRecord> { records.producerHalf() }

  /// What was ordered last.
  @inline(__always)
  var ordered: Order { unsafe order.pointee }

  // MARK: The engine's side

  /// Says what the next `startTrace` is about, while no trace is under way.
  ///
  /// - Parameters:
  ///   - filter: which frames.
  ///   - count: how many of them.
  public func order(_ filter: TraceFilter, count: UInt32) {
    unsafe order.pointee = Order(filter: filter, count: count)
  }

  /// Takes every record there is, oldest first.
  public func take(_ body: (TraceRecord) -> Void) {
    end.withLock { ring in
      while let record = ring.next() { body(record) }
      ring.release()
    }
  }

  /// Records that found the ring full, since the worker was made.
  public var lostCount: UInt64 { lost.value(at: 0) }
}

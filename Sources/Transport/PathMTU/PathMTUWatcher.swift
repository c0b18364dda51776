// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Hears what routers say of datagrams that are too long for the path.
///
/// The kernel tells such things to the socket that sent the datagram, and what went through AF_XDP
/// had none. A thread of the watcher's own waits for them, and has ended when `stop()` returns. All
/// belongs to the network namespace of the thread that makes the watcher. Whoever makes it has to
/// stop it.
package final class PathMTUWatcher: Sendable {
  /// What was heard so far.
  package struct Counts: Sendable, Equatable {
    /// Complaints that were reported.
    package var reported = 0
    /// Complaints that were not, as too many came.
    package var withheld = 0
    /// Messages that are no complaint about a datagram of ours.
    package var refused = 0

    /// Nothing counted.
    package init() {}
  }

  private let inbox: Inbox
  private let thread: Mutex<ReceivingThread?>

  /// Begins to hear about datagrams that are sent from or to UDP ports of `ports`; `report` is
  /// called by the watcher's thread and must not wait.
  ///
  /// Some datagrams are sent from ports of no meaning, so that those of other hosts belong here as
  /// well. Without the privilege for raw sockets it throws, and nothing is heard.
  package convenience init(
    ports: Set<UInt16>, report: @escaping @Sendable (PathMTUComplaint) -> Void
  ) throws(TransportError) {
    try self.init(ports: ports, now: Self.monotonicNow, report: report)
  }

  /// As above, with a clock of the caller's, in nanoseconds.
  init(
    ports: Set<UInt16>, now: @escaping @Sendable () -> UInt64,
    report: @escaping @Sendable (PathMTUComplaint) -> Void
  ) throws(TransportError) {
    let inbox = Inbox(ports: ports, now: now, report: report)
    let socket = try ICMPSocket()
    let thread = try ReceivingThread(name: "weft-path-mtu") { event in
      while socket.wait(until: event) {
        for _ in 0..<Self.batch {
          guard let packet = socket.receive(limit: Self.lengthMax) else { break }
          inbox.take(packet)
        }
      }
    }
    self.inbox = inbox
    self.thread = Mutex(thread)
  }

  /// Hears about datagrams from and to these ports from now on, and no others.
  package func setPorts(_ ports: Set<UInt16>) { inbox.setPorts(ports) }

  /// What was heard so far.
  package var counts: Counts { inbox.counts }

  /// Ends; nothing is reported any more when it returns.
  ///
  /// Not to be called by `report`, whose thread it would wait for.
  package func stop() {
    let last = thread.withLock { thread in
      let last = thread.take()
      return last
    }
    _ = consume last
  }

  /// After so many packets the reader looks whether it is to end.
  private static let batch = 64
  /// Longer than any that a router sends; one that is cut off is refused.
  private static let lengthMax = 2048

  private static func monotonicNow() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
}

/// Judges packets, and reports complaints at a rate.
private final class Inbox: Sendable {
  fileprivate struct State {
    var ports: Set<UInt16>
    var bucket: TokenBucket
    /// When the next may be reported.
    var isFreeAt: UInt64 = 0
    var counts = PathMTUWatcher.Counts()
  }

  /// So many at once after a quiet time, and one for each such time.
  private static let burst = 100
  private static let interval = Duration.milliseconds(10)

  private let now: @Sendable () -> UInt64
  private let report: @Sendable (PathMTUComplaint) -> Void
  private let state: Mutex<State>

  init(
    ports: Set<UInt16>, now: @escaping @Sendable () -> UInt64,
    report: @escaping @Sendable (PathMTUComplaint) -> Void
  ) {
    self.now = now
    self.report = report
    state = Mutex(
      State(
        ports: ports,
        bucket: TokenBucket(burst: Self.burst, interval: Self.interval, now: now())))
  }

  var counts: PathMTUWatcher.Counts { state.withLock(\.counts) }

  func setPorts(_ ports: Set<UInt16>) { state.withLock { $0.ports = ports } }

  func take(_ packet: [UInt8]) {
    let now = now()
    let complaint = state.withLock { state in
      state.complaint(packet, now: now)
    }
    if let complaint { report(complaint) }
  }
}

extension Inbox.State {
  mutating func complaint(_ packet: [UInt8], now: UInt64) -> PathMTUComplaint? {
    guard let complaint = PathMTUComplaint(packet: packet, ports: ports) else {
      counts.refused += 1
      return nil
    }
    guard now >= isFreeAt else {
      counts.withheld += 1
      return nil
    }
    counts.reported += 1
    isFreeAt = now &+ bucket.take(now: now)
    return complaint
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLaboratory
import Foundation
import Inet
import Synchronization

/// One TCP stream from the first container to the second, every byte of it compared.
///
/// It follows a timetable: what arrives before `begin` only gets it going, what arrives until `end`
/// is counted, and then all that is still under way is awaited.
struct ByteStream {
  /// Moments of the monotonic clock, in nanoseconds.
  struct Timetable: Sendable {
    let begin: UInt64
    let end: UInt64
  }

  /// What came of it.
  struct Outcome: Equatable, Sendable {
    /// Bytes between the two moments.
    var counted: Int64
    /// Bytes sent and received in all.
    var sent: Int64
    var received: Int64
    /// Segments that were sent again.
    var retransmissions: Int64
  }

  private let sender: Errand<(sent: Int64, retransmissions: Int64)>
  private let receiver: Errand<(counted: Int64, received: Int64)>

  private static let port: UInt16 = 5001

  /// Bytes of the stream in a full packet, behind IPv4, TCP and its time stamps.
  static func segmentLength(mtu: Int) -> Int { mtu - 20 - 32 }

  /// Begins to send on the first core and to receive on the second.
  init(
    between hosts: TwoHosts, cores: LaboratoryCores, _ timetable: Timetable, in run: ScenarioRun
  ) throws {
    let (first, second) = (hosts.sides[0], hosts.sides[1])
    let address = second.address.bits
    let listener = try second.container.visit { claboratory_listen(address, ByteStream.port) }
    try ByteStream.check(Int64(listener), "listen")
    receiver = Errand(in: second.container, core: cores.worker) {
      defer { close(listener) }
      return try ByteStream.receive(listener, timetable, run)
    }
    sender = Errand(in: first.container, core: cores.generator) {
      try ByteStream.send(to: address, timetable, run)
    }
  }

  /// Waits for the end of both.
  func outcome() throws -> Outcome {
    let sent = Result { try sender.wait() }
    let received = try receiver.wait()
    return Outcome(
      counted: received.counted, sent: try sent.get().sent, received: received.received,
      retransmissions: try sent.get().retransmissions)
  }

  private static func send(
    to address: UInt32, _ timetable: Timetable, _ run: ScenarioRun
  ) throws -> (Int64, Int64) {
    let socket = claboratory_connect(address, port)
    try check(Int64(socket), "connect")
    defer { close(socket) }
    var sent: Int64 = 0
    while Stopwatch.now < timetable.end {
      try run.check()
      let until = min(timetable.end, Stopwatch.now + slice)
      sent += try check(claboratory_send(socket, UInt64(sent), until), "send")
    }
    try check(Int64(claboratory_finish(socket)), "shutdown")
    // The receiver closes when it has everything.
    let patience = Stopwatch.now + 10_000_000_000
    while Stopwatch.now < patience, !run.interruption.isRequested {
      if claboratory_receive(socket, 0, Stopwatch.now + slice) < 0 { break }
    }
    return (sent, try check(claboratory_retransmissions(socket), "TCP_INFO"))
  }

  private static func receive(
    _ listener: Int32, _ timetable: Timetable, _ run: ScenarioRun
  ) throws -> (Int64, Int64) {
    var socket: Int32 = -EAGAIN
    let patience = Stopwatch.now + 10_000_000_000
    while socket == -EAGAIN, Stopwatch.now < patience {
      try run.check()
      socket = claboratory_accept(listener)
    }
    try check(Int64(socket), "accept")
    defer { close(socket) }
    let early = try take(socket, after: 0, until: timetable.begin, run)
    let counted = try take(socket, after: early, until: timetable.end, run)
    let late = try take(
      socket, after: early + counted, until: Stopwatch.now + 10_000_000_000, run)
    return (counted, early + counted + late)
  }

  /// Receives until a moment or the end of the stream.
  private static func take(
    _ socket: Int32, after offset: Int64, until end: UInt64, _ run: ScenarioRun
  ) throws -> Int64 {
    var taken: Int64 = 0
    while Stopwatch.now < end {
      try run.check()
      let until = min(end, Stopwatch.now + slice)
      let count = claboratory_receive(socket, UInt64(offset + taken), until)
      if count == -Int64(ENODATA) { break }
      guard count != -Int64(EBADMSG) else {
        throw ScenarioError(
          .failed, "stream: a byte after \(offset + taken) is not the one that was sent")
      }
      taken += try check(count, "recv")
    }
    return taken
  }

  /// How long a call goes on before it looks whether the run is to end.
  private static let slice: UInt64 = 50_000_000

  @discardableResult
  private static func check(_ result: Int64, _ call: String) throws(ScenarioError) -> Int64 {
    guard result < 0 else { return result }
    throw ScenarioError(
      .failed, "stream: \(call): \(String(describing: POSIXErrorCode(rawValue: Int32(-result))))")
  }
}

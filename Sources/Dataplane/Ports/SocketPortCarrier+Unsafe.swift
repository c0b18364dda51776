// SPDX-License-Identifier: Apache-2.0

internal import Telemetry
internal import XDP

/// What stands behind the rings of a queue of UDP sockets.
///
/// Proof of safety: whoever fills a slot with the queue keeps its `SocketPort`, and with it the
/// carrier, until the slot was emptied.
@safe
public struct SocketBacking: BitwiseCopyable, @unchecked Sendable {
  private let carrier: UnsafeMutablePointer<SocketCarrier>
  /// Becomes readable when one of the sockets is.
  let descriptor: CInt

  @unsafe
  init(carrier: UnsafeMutablePointer<SocketCarrier>, descriptor: CInt) {
    unsafe self.carrier = carrier
    self.descriptor = descriptor
  }

  /// Puts what the sockets received on the RX ring; true if there is more, and no chunk for it.
  @inline(never)
  func receive() -> Bool { unsafe carrier.pointee.receive() }

  /// Sends what is on the TX ring; returns the number of system calls.
  @inline(never)
  func transmit() -> Int { unsafe carrier.pointee.transmit() }

  /// Whether there is something to send that the kernel did not take yet, or something received
  /// that found no chunk.
  var isOwing: Bool { unsafe carrier.pointee.isOwing }
}

/// Plays the kernel for a queue, over UDP sockets.
///
/// Everything is allocated when it is made; what it points to outlives it.
struct SocketCarrier: ~Copyable {
  var sockets = UDPSockets()
  private var rings: KernelRings
  private var inbox: SocketInbox
  private var outbox: SocketOutbox

  /// A carrier without sockets.
  ///
  /// - `frames`: the memory of the worker, of `framesLength` bytes.
  /// - `buffers`: `SocketInbox.length` bytes.
  @unsafe
  init(
    rings: consuming KernelRings, frames: UnsafeMutableRawPointer, framesLength: Int,
    buffers: UnsafeMutableRawPointer, counters: CounterBlock
  ) {
    self.rings = rings
    inbox = unsafe SocketInbox(
      buffers: buffers, frames: frames, framesLength: framesLength, counters: counters)
    outbox = unsafe SocketOutbox(frames: frames, framesLength: framesLength, counters: counters)
  }

  mutating func receive() -> Bool { inbox.receive(from: sockets, into: &rings) }

  mutating func transmit() -> Int { outbox.transmit(from: &rings, through: &sockets) }

  var isOwing: Bool { outbox.isOwing || inbox.isStarved }
}

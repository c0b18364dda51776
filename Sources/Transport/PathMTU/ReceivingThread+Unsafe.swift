// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A thread that runs one closure, with a descriptor that wakes it up for its end.
///
/// Proof of safety: the reference handed to the thread is retained until the thread takes it. The
/// event's descriptor is closed after the thread was joined, and nobody else has it.
@safe
struct ReceivingThread: ~Copyable {
  private final class Body {
    let run: @Sendable (Int32) -> Void
    let event: Int32

    init(event: Int32, run: @escaping @Sendable (Int32) -> Void) {
      self.event = event
      self.run = run
    }
  }

  private let event: Int32
  private let thread: UInt64

  /// Starts a thread; `run` gets a descriptor that becomes readable when it is to return.
  init(name: String, run: @escaping @Sendable (Int32) -> Void) throws(TransportError) {
    let event = clinux_event()
    guard event >= 0 else { throw .system(call: "eventfd", errno: -event) }
    let context = unsafe Unmanaged.passRetained(Body(event: event, run: run)).toOpaque()
    var thread: UInt64 = 0
    let result = unsafe clinux_start_thread(
      name, &thread,
      { context in
        guard let context = unsafe context else { return }
        let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
        body.run(body.event)
      }, context)
    guard result >= 0 else {
      unsafe Unmanaged<Body>.fromOpaque(context).release()
      _ = close(event)
      throw .system(call: "pthread_create", errno: -result)
    }
    self.event = event
    self.thread = thread
  }

  deinit {
    clinux_event_signal(event)
    _ = clinux_join_thread(thread)
    _ = close(event)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import Mesh
internal import Synchronization

/// Sends and receives datagrams.
///
/// A thread of its own receives: it sleeps in the kernel until there is something, and has ended
/// when `stop()` returns. An event loop of SwiftNIO lends nobody its poll, and the threads of a
/// Dispatch queue outlive their work. Sending is done by whoever asks for it, so that a datagram
/// waits nowhere but in the kernel.
final class DatagramExchange: Sendable {
  private struct Running: ~Copyable {
    let socket: UDPSocket
    let thread: ReceivingThread
  }

  private let counter: TransportCounter
  private let inbox: DatagramInbox
  private let running: Mutex<Running?>

  /// Opens the socket at `address` and begins to receive.
  init(
    address: SocketAddress, options: TransportOptions, counter: TransportCounter,
    deliver: @escaping @Sendable (MeshInput) -> Void
  ) throws(TransportError) {
    let inbox = DatagramInbox(
      unconsumedMax: options.datagramLengthMax, counter: counter, deliver: deliver)
    let socket = try UDPSocket(address: address, bufferLength: options.datagramBufferLength)
    let thread = try ReceivingThread(name: "weft-datagrams") { event in
      inbox.read(socket, until: event)
    }
    self.counter = counter
    self.inbox = inbox
    running = Mutex(Running(socket: socket, thread: thread))
  }

  /// Sends a datagram; gives whether it was longer than the path carries without fragments and may
  /// not have any.
  func send(_ bytes: [UInt8], to remote: SocketAddress, isFragmentable: Bool) -> Bool {
    guard let socket = running.withLock({ $0?.socket }) else { return false }
    let outcome = socket.send(bytes, to: remote, isFragmentable: isFragmentable)
    counter.count {
      switch outcome {
      case .sent: $0.datagramsSent += 1
      case .tooLong: $0.datagramsTooLong += 1
      case .full: $0.datagramsUnsent += 1
      case .failed: $0.datagramsRefused += 1
      }
    }
    return outcome == .tooLong && !isFragmentable
  }

  func consumed(_ length: Int) { inbox.consumed(length) }

  /// How many datagrams the kernel had no room for.
  var lostCount: Int { running.withLock { $0?.socket }?.lostCount ?? 0 }

  /// Closes the socket, after the thread has ended.
  func stop() {
    let last = running.withLock { running in
      let last = running.take()
      return last
    }
    _ = consume last
  }
}

// SPDX-License-Identifier: Apache-2.0

package import Inet
package import Logging
package import Mesh
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The mesh's real sockets.
///
/// All links live on one event loop of SwiftNIO, which is also what tells of them. What is asked
/// for from one thread is done in that order. The loop's thread stays in the network namespace of
/// the one that made the transport. Whoever makes it has to stop it.
package final class SocketTransport: MeshTransport {
  /// The port that it listens at.
  package let localPort: UInt16

  private let group: MultiThreadedEventLoopGroup
  private let loop: any EventLoop
  private let listener: any Channel
  private let table: NIOLoopBound<LinkTable>
  private let counter: TransportCounter
  private let closing: ClosingLinks
  private let receive: @Sendable (MeshInput) -> Void
  private let isRunning = Mutex(true)

  /// Opens the sockets and tells `receive` what happens, until `stop()`.
  ///
  /// `receive` is called by the transport's threads and must not wait. What it gets is in memory
  /// until `consumed` says that it was dealt with.
  package init(
    options: TransportOptions, logger: Logger, receive: @escaping @Sendable (MeshInput) -> Void
  ) throws(TransportError) {
    let counter = TransportCounter()
    let closing = ClosingLinks()
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    loop = group.next()
    self.counter = counter
    self.closing = closing
    self.receive = receive
    let opening = Opening(
      options: options, logger: logger, loop: loop, counter: counter, closing: closing,
      receive: receive)
    do throws(TransportError) {
      let opened = try opening.open()
      (listener, table, localPort) = (opened.listener, opened.table, opened.port)
    } catch {
      try? group.syncShutdownGracefully()
      throw error
    }
    logger.info(
      "listening for peers",
      metadata: ["address": "\(SocketAddress(options.listen.address, port: localPort))"])
  }

  /// What was counted so far.
  package var counts: TransportCounts { counter.now }

  /// Connects to `remote`, from the address that the mesh listens at.
  package func dial(_ link: LinkIdentifier, _ remote: Inet.SocketAddress) {
    perform { $0.dial(link, remote) }
  }

  /// Sends bytes in order; those for a link that is no more are forgotten.
  package func send(_ bytes: [UInt8], on link: LinkIdentifier) {
    perform { $0.send(bytes, on: link) }
  }

  /// Lets more of a link be read.
  package func consumed(_ count: Int, on link: LinkIdentifier) {
    perform { $0.consumed(count, on: link) }
  }

  /// Closes a link at once; the other end sees a reset, and nothing more is told of the link.
  ///
  /// A call of `receive` that another thread is in goes on.
  package func close(_ link: LinkIdentifier) {
    closing.insert(link)
    perform { $0.close(link) }
  }

  /// Closes everything and waits until all threads have ended; then nothing more is told.
  ///
  /// Not to be called by `receive`, whose thread it would wait for.
  package func stop() {
    precondition(!loop.inEventLoop, "a thread cannot wait for its own end")
    let isFirst = isRunning.withLock { running in
      defer { running = false }
      return running
    }
    guard isFirst else { return }
    let (table, listener) = (table, listener)
    let closed = loop.submit {
      table.value.closeAll()
      listener.close(promise: nil)
    }
    try? closed.wait()
    // It closes what is still open, so that only a fault of the loop itself could be told here.
    try? group.syncShutdownGracefully()
  }

  /// Does something on the event loop, unless that has ended.
  private func perform(_ work: @escaping @Sendable (LinkTable) -> Void) {
    let table = table
    isRunning.withLock { isRunning in
      if isRunning { loop.execute { work(table.value) } }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import Logging
internal import Mesh
internal import NIOCore
internal import NIOPosix

/// Opens the listening socket.
struct Opening {
  /// What is open then.
  struct Opened {
    let listener: any Channel
    let table: NIOLoopBound<LinkTable>
    let port: UInt16
  }

  let options: TransportOptions
  let logger: Logger
  let loop: any EventLoop
  let counter: TransportCounter
  let closing: ClosingLinks
  let receive: @Sendable (MeshInput) -> Void

  /// Opens it; the kernel chooses the port if the options leave the choice.
  func open() throws(TransportError) -> Opened {
    let (listener, table) = try listen()
    let port = listener.localAddress?.inet?.port ?? options.listen.port
    // Only now, so that nothing is told of a transport that could not be opened.
    listener.setOption(.autoRead, value: true).whenFailure { _ in }
    return Opened(listener: listener, table: table, port: port)
  }

  private func listen() throws(TransportError) -> (any Channel, NIOLoopBound<LinkTable>) {
    do {
      let table = try makeTable()
      return (try bootstrap(table).bind(to: options.listen.nio()).wait(), table)
    } catch let error as IOError {
      throw TransportError("bind", error.errnoCode, options.listen, kind: "TCP")
    } catch {
      throw .other("\(error)")
    }
  }

  private func makeTable() throws -> NIOLoopBound<LinkTable> {
    let (options, counter, loop, closing, receive) = (options, counter, loop, closing, receive)
    return try loop.submit {
      NIOLoopBound(
        LinkTable(
          options: options, counter: counter, loop: loop, closing: closing, deliver: receive),
        eventLoop: loop)
    }.wait()
  }

  private func bootstrap(_ table: NIOLoopBound<LinkTable>) -> ServerBootstrap {
    let logger = logger
    var bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 128)
      .serverChannelOption(.autoRead, value: false)
      .serverChannelOption(.maxMessagesPerRead, value: 1)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        LinkOptions.discardAtClose(channel).flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(
            AcceptGate(table: table.value, logger: logger))
        }
      }
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: LinkOptions.readLength)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(table.value.makeAccepted())
        }
      }
    for (option, value) in LinkOptions.sockets(options) {
      bootstrap = bootstrap.serverChannelOption(option, value: value)
    }
    return bootstrap
  }
}

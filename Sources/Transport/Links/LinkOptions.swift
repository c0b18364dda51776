// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore

/// What every TCP socket of ours is set to.
///
/// The listening socket has it too: the kernel gives its settings to each connection let in, and
/// the buffers' lengths have to be known before a connection begins.
enum LinkOptions {
  /// The longest read; the buffer is used again for the next.
  static let readLength = 64 << 10

  static func sockets(_ options: TransportOptions) -> [(ChannelOptions.Types.SocketOption, Int)] {
    let length = options.linkBufferLength
    return [
      (.socketOption(.so_rcvbuf), length), (.socketOption(.so_sndbuf), length),
      (.tcpOption(.tcp_nodelay), 1),
    ]
  }

  /// Has `channel` discard what waits when it is closed, which the other end sees as a reset.
  static func discardAtClose(_ channel: any Channel) -> EventLoopFuture<Void> {
    guard let provider = channel as? any SocketOptionProvider else {
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    return provider.setSoLinger(linger(l_onoff: 1, l_linger: 0))
  }
}

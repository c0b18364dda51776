// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore

/// Lets in new links at a bounded rate, and no more than there may be at once.
///
/// While links have to wait the kernel keeps them in the listening socket's queue, and turns away
/// those that do not fit into it.
final class AcceptGate: ChannelInboundHandler {
  typealias InboundIn = any Channel
  typealias InboundOut = any Channel

  /// How long to wait if the kernel cannot let a link in.
  private static let pauseAfterFailure = TimeAmount.milliseconds(200)

  private let table: LinkTable
  private let logger: Logger
  private var bucket: TokenBucket
  private var wait: UInt64 = 0
  private var isFailing = false
  private var pause: Scheduled<Void>?

  init(table: LinkTable, logger: Logger) {
    self.table = table
    self.logger = logger
    bucket = TokenBucket(
      burst: table.options.acceptBurst, interval: table.options.acceptInterval,
      now: NIODeadline.now().uptimeNanoseconds)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isFailing = false
    wait = bucket.take(now: NIODeadline.now().uptimeNanoseconds)
    if table.mayAccept {
      context.fireChannelRead(data)
    } else {
      table.refused()
      unwrapInboundIn(data).close(promise: nil)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if wait > 0, pause == nil {
      table.counter.count { $0.acceptsDelayed += 1 }
      rest(.nanoseconds(Int64(clamping: wait)), context)
    }
    context.fireChannelReadComplete()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    table.counter.count { $0.acceptsFailed += 1 }
    if !isFailing {
      isFailing = true
      logger.warning(
        "cannot let a peer connect; trying again", metadata: ["reason": "\(error)"])
    }
    // The listening socket stays readable, so that without a rest this would come again at once.
    rest(Self.pauseAfterFailure, context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    pause?.cancel()
    pause = nil
  }

  private func rest(_ time: TimeAmount, _ context: ChannelHandlerContext) {
    guard pause == nil else { return }
    let options = context.channel.syncOptions
    try? options?.setOption(.autoRead, value: false)
    pause = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
      pause = nil
      wait = 0
      try? options?.setOption(.autoRead, value: true)
    }
  }
}

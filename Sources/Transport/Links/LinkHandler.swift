// SPDX-License-Identifier: Apache-2.0

internal import Mesh
internal import NIOCore

/// One TCP connection; lives on the event loop.
///
/// It reads only while little of what it handed up is unconsumed, and gives the kernel one chunk at
/// a time of what is to be sent.
final class LinkHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let link: LinkIdentifier
  let isDialed: Bool
  private let table: LinkTable
  private var context: ChannelHandlerContext?
  /// The first error, which says why the link ended.
  private var error: (any Error)?

  private var unconsumed = 0
  private var isReading = false

  private var outbox = Outbox()
  /// The length of the chunk that the kernel is being given.
  private var chunkLength = 0
  private var isPumping = false
  /// Chunks taken by the kernel, to see whether there is progress.
  private var chunkCount = 0
  private var watch: Scheduled<Void>?

  /// Makes a link of `table`, without a connection yet.
  init(_ link: LinkIdentifier, isDialed: Bool, table: LinkTable) {
    self.link = link
    self.isDialed = isDialed
    self.table = table
  }

  /// How many bytes wait to be sent.
  var unsentLength: Int { outbox.length + chunkLength }

  // MARK: What happens

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    // It may have been closed before there was a channel.
    if !table.has(self) { context.close(promise: nil) }
  }

  func channelActive(context: ChannelHandlerContext) {
    guard let remote = context.remoteAddress?.inet, let local = context.localAddress?.inet else {
      // The other end is gone already.
      return table.ended(self, reason: LinkEnd.closedByOtherEnd)
    }
    table.opened(self, remote: remote, local: local)
    readIfWanted()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    guard let bytes = buffer.readBytes(length: buffer.readableBytes), table.has(self) else {
      return
    }
    unconsumed += bytes.count
    table.received(self, bytes)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    readIfWanted()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.error = self.error ?? error
    context.close(promise: nil)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    table.disconnected(self, reason: LinkEnd.ofLink(error))
  }

  // MARK: What is asked for

  func send(_ bytes: [UInt8]) {
    outbox.append(bytes)
    pump()
  }

  func consumed(_ count: Int) -> Int {
    let freed = min(max(0, count), unconsumed)
    unconsumed -= freed
    readIfWanted()
    return freed
  }

  /// Closes the connection at once and forgets what waited.
  ///
  /// Gives how many bytes were unconsumed.
  func close() -> Int {
    watch?.cancel()
    watch = nil
    outbox = Outbox()
    let forgotten = unconsumed
    unconsumed = 0
    context?.close(promise: nil)
    return forgotten
  }

  private func readIfWanted() {
    guard !isReading, unconsumed < table.options.unconsumedLengthMax, let context else { return }
    isReading = true
    context.read()
  }

  /// Gives the kernel chunks for as long as it takes them.
  ///
  /// A chunk that it takes at once ends within the call, and the loop goes on rather than deeper.
  private func pump() {
    guard !isPumping, let context else { return }
    isPumping = true
    while chunkLength == 0, let chunk = outbox.takeFirst() {
      chunkLength = chunk.readableBytes
      let promise = context.eventLoop.makePromise(of: Void.self)
      promise.futureResult.assumeIsolated().whenComplete { [self] result in sent(result) }
      context.writeAndFlush(wrapOutboundOut(chunk), promise: promise)
    }
    isPumping = false
    if unsentLength > 0 { startWatch() }
  }

  private func sent(_ result: Result<Void, any Error>) {
    let length = chunkLength
    chunkLength = 0
    chunkCount += 1
    table.sent(self, length)
    switch result {
    case .success: pump()
    case .failure(let failure as IOError): error = error ?? failure
    case .failure: break
    }
  }

  /// Looks after a while whether the kernel took anything meanwhile.
  private func startWatch() {
    guard watch == nil, let context else { return }
    let before = chunkCount
    let time = TimeAmount.nanoseconds(table.options.sendStallMax.nanoseconds)
    watch = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
      watch = nil
      guard unsentLength > 0 else { return }
      if chunkCount == before {
        table.closeAsSlow(self, LinkEnd.stalled(unsentLength, table.options.sendStallMax))
      } else {
        startWatch()
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import Mesh
internal import NIOCore
internal import NIOPosix

/// All TCP connections; lives on the event loop.
///
/// A link is in the table from the moment it is dialled or let in until its end is told. One that
/// is not in the table any more tells nothing.
final class LinkTable {
  let options: TransportOptions
  let counter: TransportCounter
  private let loop: any EventLoop
  private let closing: ClosingLinks
  private let deliver: @Sendable (MeshInput) -> Void
  private var links: [LinkIdentifier: LinkHandler] = [:]
  private var opened: Set<LinkIdentifier> = []
  private var dialedCount = 0
  private var acceptedEver: UInt64 = 0
  private var unsentLength = 0

  init(
    options: TransportOptions, counter: TransportCounter, loop: any EventLoop,
    closing: ClosingLinks, deliver: @escaping @Sendable (MeshInput) -> Void
  ) {
    self.options = options
    self.counter = counter
    self.loop = loop
    self.closing = closing
    self.deliver = deliver
  }

  func has(_ handler: LinkHandler) -> Bool { links[handler.link] === handler }

  // MARK: New links

  /// Whether there may be one more accepted link.
  var mayAccept: Bool { links.count - dialedCount < options.acceptedLinksMax }

  func refused() {
    counter.count { $0.linksRefused += 1 }
  }

  /// A handler for a connection that was let in.
  func makeAccepted() -> LinkHandler {
    acceptedEver += 1
    let link = LinkIdentifier(acceptedEver | 1 << 63)
    let handler = LinkHandler(link, isDialed: false, table: self)
    insert(handler)
    return handler
  }

  func dial(_ link: LinkIdentifier, _ remote: Inet.SocketAddress) {
    guard links[link] == nil else { return }
    guard dialedCount < options.dialedLinksMax else {
      counter.count { $0.dialsFailed += 1 }
      let reason = "too many connections: \(dialedCount) are dialled already"
      return tell(link, .dialFailed(link, reason: reason))
    }
    let handler = LinkHandler(link, isDialed: true, table: self)
    insert(handler)
    do {
      try connect(handler, to: remote).assumeIsolated().whenFailure { [self] error in
        ended(handler, reason: LinkEnd.ofDial(error))
      }
    } catch {
      ended(handler, reason: LinkEnd.ofDial(error))
    }
  }

  private func connect(
    _ handler: LinkHandler, to remote: Inet.SocketAddress
  ) throws -> EventLoopFuture<any Channel> {
    let bound = NIOLoopBound(handler, eventLoop: loop)
    var bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(.nanoseconds(options.dialTimeout.nanoseconds))
      .channelOption(.autoRead, value: false)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: LinkOptions.readLength)
      )
      .channelInitializer { channel in
        LinkOptions.discardAtClose(channel).flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(bound.value)
        }
      }
    for (option, value) in LinkOptions.sockets(options) {
      bootstrap = bootstrap.channelOption(option, value: value)
    }
    if options.listen.address.bits != 0 {
      bootstrap = bootstrap.bind(to: try Inet.SocketAddress(options.listen.address, port: 0).nio())
    }
    return bootstrap.connect(to: try remote.nio())
  }

  private func insert(_ handler: LinkHandler) {
    links[handler.link] = handler
    if handler.isDialed { dialedCount += 1 }
    publish()
  }

  // MARK: What happens on links

  func opened(_ handler: LinkHandler, remote: Inet.SocketAddress, local: Inet.SocketAddress) {
    let link = handler.link
    guard has(handler), opened.insert(link).inserted else { return }
    if handler.isDialed {
      counter.count { $0.linksDialed += 1 }
      tell(link, .dialed(link, remote: remote, local: local))
    } else {
      counter.count { $0.linksAccepted += 1 }
      tell(link, .accepted(link, remote: remote, local: local))
    }
  }

  func received(_ handler: LinkHandler, _ bytes: [UInt8]) {
    counter.count { $0.unconsumedLength += bytes.count }
    tell(handler.link, .received(handler.link, bytes))
  }

  /// A connection is no more; one that never was is told by whoever dialled it.
  func disconnected(_ handler: LinkHandler, reason: String) {
    if opened.contains(handler.link) || !handler.isDialed { ended(handler, reason: reason) }
  }

  func ended(_ handler: LinkHandler, reason: String) {
    guard let wasOpened = remove(handler) else { return }
    if wasOpened {
      tell(handler.link, .closed(handler.link, reason: reason))
    } else if handler.isDialed {
      counter.count { $0.dialsFailed += 1 }
      tell(handler.link, .dialFailed(handler.link, reason: reason))
    }
  }

  /// The kernel took bytes, or refused them as the connection ended.
  func sent(_ handler: LinkHandler, _ length: Int) {
    if has(handler) { change(unsent: -length) }
  }

  func closeAsSlow(_ handler: LinkHandler, _ reason: String) {
    counter.count { $0.linksTooSlow += 1 }
    ended(handler, reason: reason)
  }

  // MARK: What is asked for

  func send(_ bytes: [UInt8], on link: LinkIdentifier) {
    guard let handler = links[link], opened.contains(link) else { return }
    change(unsent: bytes.count)
    handler.send(bytes)
    if handler.unsentLength > options.unsentLengthMax {
      closeAsSlow(handler, LinkEnd.tooMuch(handler.unsentLength))
    } else if unsentLength > options.unsentLengthTotalMax,
      let worst = links.values.max(by: { $0.unsentLength < $1.unsentLength })
    {
      closeAsSlow(worst, LinkEnd.tooMuch(worst.unsentLength))
    }
  }

  func consumed(_ count: Int, on link: LinkIdentifier) {
    guard let handler = links[link] else { return }
    let freed = handler.consumed(count)
    counter.count { $0.unconsumedLength -= freed }
  }

  func close(_ link: LinkIdentifier) {
    if let handler = links[link] { _ = remove(handler) }
    closing.remove(link)
  }

  func closeAll() {
    for handler in links.values { _ = remove(handler) }
  }

  // MARK: The books

  /// Forgets a link and closes its connection; gives whether it was opened, or nil if it was
  /// forgotten already.
  private func remove(_ handler: LinkHandler) -> Bool? {
    guard has(handler) else { return nil }
    let link = handler.link
    links[link] = nil
    if handler.isDialed { dialedCount -= 1 }
    change(unsent: -handler.unsentLength)
    let forgotten = handler.close()
    counter.count { $0.unconsumedLength -= forgotten }
    publish()
    return opened.remove(link) != nil
  }

  private func change(unsent difference: Int) {
    unsentLength += difference
    publish()
  }

  private func publish() {
    counter.count {
      $0.links = links.count
      $0.unsentLength = unsentLength
    }
  }

  private func tell(_ link: LinkIdentifier, _ input: MeshInput) {
    if !closing.contains(link) { deliver(input) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import Logging
import Mesh
import TestSupport
import Testing

@testable import Transport

/// Everything that opens sockets; one test at a time, since some of them count what the whole
/// process holds.
@Suite(.serialized) enum SocketTests {}

/// A transport with all that it told, for tests to wait on.
final class Station: Sendable {
  let transport: SocketTransport
  let record: Record
  private let host: IPv4Address

  /// Opens a transport at a free port of the loopback interface, which consumes what it is told
  /// unless `consumes` is false.
  init(
    consumes: Bool = true, address: String = "127.0.0.1",
    _ change: (inout TransportOptions) -> Void = { _ in },
    reaction: (@Sendable (Record, MeshInput) -> Void)? = nil
  ) throws {
    host = try #require(IPv4Address(address))
    var options = TransportOptions()
    options.listen = SocketAddress(host, port: 0)
    options.acceptBurst = 1000
    change(&options)
    let record = Record(consumes: consumes, reaction: reaction)
    self.record = record
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    transport = try SocketTransport(options: options, logger: logger) { record.add($0) }
    record.attach(transport)
  }

  deinit { transport.stop() }

  /// Where the loopback interface, or `init`'s address, has it.
  var address: SocketAddress { SocketAddress(host, port: transport.localPort) }

  /// Dials `other` and waits until both ends know it; gives its number on both.
  func dial(
    _ other: Station, number: UInt64 = 1
  ) throws -> (ours: LinkIdentifier, theirs: LinkIdentifier) {
    let ours = LinkIdentifier(number)
    transport.dial(ours, other.address)
    let local = try record.need { $0.dialed[ours] }
    let theirs = try other.record.need { $0.callers[local] }
    return (ours, theirs)
  }

  /// Waits until the counts say something.
  func wait(
    sourceLocation: SourceLocation = #_sourceLocation, _ holds: (TransportCounts) -> Bool
  ) {
    let met = eventually { holds(transport.counts) }
    #expect(met, "\(transport.counts)", sourceLocation: sourceLocation)
  }
}

/// Looks again every few milliseconds until something holds, for a generous time.
func eventually(_ holds: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<12_000 {
    if try holds() { return true }
    usleep(5000)
  }
  return false
}

/// What a transport told, in order.
final class Record: @unchecked Sendable {
  // Everything below is used with the condition's lock held.
  private let condition = NSCondition()
  private let consumes: Bool
  private let reaction: (@Sendable (Record, MeshInput) -> Void)?
  private weak var transport: SocketTransport?
  private var held: [MeshInput] = []
  private var unconsumed: [LinkIdentifier: Int] = [:]

  struct Story {
    var inputs: [MeshInput] = []
    var accepted: [LinkIdentifier] = []
    /// Those that were let in, by the other end's address.
    var callers: [SocketAddress: LinkIdentifier] = [:]
    /// Our own ends' addresses.
    var dialed: [LinkIdentifier: SocketAddress] = [:]
    var received: [LinkIdentifier: [UInt8]] = [:]
    var ends: [LinkIdentifier: String] = [:]
    /// The most bytes of one link that were handed up and not consumed.
    var unconsumedMost = 0
    /// Breaches of the order that a link's inputs have.
    var breaches: [String] = []
  }
  private var story = Story()

  init(consumes: Bool, reaction: (@Sendable (Record, MeshInput) -> Void)?) {
    self.consumes = consumes
    self.reaction = reaction
  }

  func attach(_ transport: SocketTransport) {
    condition.withLock { self.transport = transport }
  }

  var accepted: [LinkIdentifier] { read { $0.accepted } }

  func read<Value>(_ body: (Story) -> Value) -> Value { condition.withLock { body(story) } }

  func use(_ body: (SocketTransport) -> Void) {
    if let transport = condition.withLock({ transport }) { body(transport) }
  }

  /// Waits until there is an answer, for a generous time.
  func wait<Value>(_ body: (Story) -> Value?) -> Value? {
    let deadline = Date(timeIntervalSinceNow: 60)
    return condition.withLock {
      while true {
        if let value = body(story) { return value }
        guard condition.wait(until: deadline) else { return body(story) }
      }
    }
  }

  /// Waits until there is an answer, which there has to be.
  ///
  /// Closures of a macro's argument can be mistaken for others near them, so that this is not
  /// written as `#require` by those who ask.
  func need<Value>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (Story) -> Value?
  ) throws -> Value {
    let value = wait(body)
    return try #require(value, sourceLocation: sourceLocation)
  }

  func add(_ input: MeshInput) {
    let transport = condition.withLock {
      note(input)
      condition.broadcast()
      return self.transport
    }
    reaction?(self, input)
    guard consumes, let transport else { return }
    guard case .received(let link, let bytes) = input else { return }
    condition.withLock { unconsumed[link, default: 0] -= bytes.count }
    transport.consumed(bytes.count, on: link)
  }

  /// Consumes bytes of a link that does not do so by itself.
  func consume(_ count: Int, on link: LinkIdentifier) {
    condition.withLock { unconsumed[link, default: 0] -= count }
    use { $0.consumed(count, on: link) }
  }

  private func note(_ input: MeshInput) {
    story.inputs.append(input)
    switch input {
    case .accepted(let link, let remote, _):
      story.accepted.append(link)
      story.callers[remote] = link
    case .dialed(let link, _, let local): story.dialed[link] = local
    case .dialFailed(let link, let reason): story.ends[link] = reason
    case .received(let link, let bytes):
      if story.dialed[link] == nil && !story.accepted.contains(link) {
        story.breaches.append("bytes before \(link) was opened")
      }
      if story.ends[link] != nil { story.breaches.append("bytes after \(link) was closed") }
      story.received[link, default: []] += bytes
      unconsumed[link, default: 0] += bytes.count
      story.unconsumedMost = max(story.unconsumedMost, unconsumed[link, default: 0])
    case .closed(let link, let reason):
      if story.ends[link] != nil { story.breaches.append("\(link) was closed twice") }
      story.ends[link] = reason
    default: story.breaches.append("not the transport's: \(input)")
    }
  }
}

/// Bytes that tell where they were in a stream, which repeats itself after a prime number of them.
func stream(_ length: Int, from start: Int = 0) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(length)
  while bytes.count < length {
    let place = (start + bytes.count) % streamPeriod.count
    bytes += streamPeriod[place...].prefix(length - bytes.count)
  }
  return bytes
}

private let streamPeriod: [UInt8] = {
  var generator = SeededGenerator(seed: 1)
  return generator.bytes(65_521)
}()

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Sealing
import TestSupport

/// The peer that is dialled, at 10.99.0.1, and the one that dials, at 10.99.0.2.
let dialled = PeerName(bits: 0x0200_0000_000A)
let dialler = PeerName(bits: 0x0200_0000_000B)
let dialledAddress = SocketAddress(IPv4Address(bits: 0x0A63_0001), port: 6783)
let diallerAddress = SocketAddress(IPv4Address(bits: 0x0A63_0002), port: 6783)
let testUID: UInt64 = 0x1122_3344_5566_7788

/// The key 00 01 … 1f of the wire notes' vectors.
let testKey = SessionKey(bytes: Array(0..<32))

/// One end's view of the connection; who dials has a TCP port of its own.
func overlayOptions(isOutbound: Bool, key: SessionKey? = nil) -> OverlaySwitch.Options {
  let session = SocketAddress(diallerAddress.address, port: 41_234)
  return OverlaySwitch.Options(
    own: isOutbound ? dialler : dialled, remote: isOutbound ? dialled : dialler,
    connectionUID: testUID, isOutbound: isOutbound,
    remoteAddress: isOutbound ? dialledAddress : session,
    localAddress: isOutbound ? session : dialledAddress, key: key, underlayMTU: 1500)
}

/// One end that both ends' lists allow.
func overlaySwitch(isOutbound: Bool, key: SessionKey? = nil) throws -> OverlaySwitch {
  try OverlaySwitch(
    overlayOptions(isOutbound: isOutbound, key: key), remoteOverlays: ["fastdp", "sleeve"])
}

/// A moment of the tests' clock.
func moment(_ duration: Duration) -> MeshInstant {
  MeshInstant(nanoseconds: 1_000_000_000_000).advanced(by: duration)
}

/// A record, put together without the product's code.
func sleeveRecord(from source: PeerName, to destination: PeerName, _ frame: [UInt8]) -> [UInt8] {
  source.octets + destination.octets + octets(UInt16(frame.count)) + frame
}

/// A heartbeat's frame.
func heartbeatFrame(_ connectionUID: UInt64 = testUID) -> [UInt8] {
  [UInt8](repeating: 0, count: 14) + octets(connectionUID, 8)
}

/// The whole plain datagram of a heartbeat between the two ends.
func heartbeat(fromDialler: Bool, _ connectionUID: UInt64 = testUID) -> [UInt8] {
  let (source, destination) = fromDialler ? (dialler, dialled) : (dialled, dialler)
  return source.octets
    + sleeveRecord(from: source, to: destination, heartbeatFrame(connectionUID))
}

/// Both ends of a connection in virtual time; datagrams may be lost, late and out of order, control
/// messages arrive in order.
struct OverlayPair {
  private enum Content {
    case datagram([UInt8])
    case control([UInt8])
  }

  private struct Message {
    var due: Duration
    var isForDialler: Bool
    var content: Content
  }

  /// Both ends: who dials first.
  var ends: [OverlaySwitch]
  /// Of a hundred datagrams, so many are lost.
  var lossPercent = 0
  /// The end that hears no datagrams at all; nil: both do.
  var deafEnd: Int?
  /// The latest that a datagram may be.
  var lateMillisecondsMax = 5
  /// What the dialler's datagrams seem to come from.
  var diallerSeenAt = diallerAddress
  /// When each end was established, and why it failed.
  private(set) var established: [Duration?] = [nil, nil]
  private(set) var failures: [String?] = [nil, nil]
  /// What happened so far.
  private(set) var datagramCounts = [0, 0]
  private(set) var controls: [[[UInt8]]] = [[], []]
  private(set) var now = Duration.zero

  private var messages: [Message] = []
  private var generator: SeededGenerator

  init(key: SessionKey? = nil, seed: UInt64 = 1, isLively: Bool = false) throws {
    ends = try [true, false].map { isOutbound in
      var options = overlayOptions(isOutbound: isOutbound, key: key)
      options.isLively = isLively
      return try OverlaySwitch(options, remoteOverlays: ["sleeve"])
    }
    generator = SeededGenerator(seed: seed)
  }

  /// Confirms one end; 0 is who dials.
  mutating func confirm(_ index: Int) {
    carryOut(ends[index].confirm(now: moment(now)), of: index)
  }

  /// Lets time go by; stops earlier when nothing more can happen.
  mutating func run(until end: Duration) {
    while let next = nextEvent(), next <= end {
      now = max(now, next)
      if let index = messages.indices.filter({ messages[$0].due <= now }).min(by: {
        messages[$0].due < messages[$1].due
      }) {
        deliver(messages.remove(at: index))
      } else {
        for index in ends.indices where ends[index].nextDeadline.map({ $0 <= moment(now) }) == true
        {
          carryOut(ends[index].advance(now: moment(now)), of: index)
        }
      }
    }
    now = end
  }

  private func nextEvent() -> Duration? {
    let deadlines = ends.compactMap(\.nextDeadline).map { moment(.zero).duration(to: $0) }
    return (deadlines + messages.map(\.due)).min()
  }

  private mutating func deliver(_ message: Message) {
    let index = message.isForDialler ? 0 : 1
    switch message.content {
    case .datagram(let bytes):
      let source = message.isForDialler ? dialledAddress : diallerSeenAt
      carryOut(ends[index].receive(bytes, from: source, now: moment(now)), of: index)
    case .control(let bytes):
      carryOut(ends[index].receiveControl(bytes, now: moment(now)), of: index)
    }
  }

  private mutating func carryOut(_ effects: [OverlayEffect], of index: Int) {
    for effect in effects {
      switch effect {
      case .datagram(let bytes, let address, _):
        datagramCounts[index] += 1
        let isLost = generator.number(below: 100) < lossPercent
        let isForSomebody = address == (index == 0 ? dialledAddress : diallerSeenAt)
        guard !isLost, isForSomebody, deafEnd != 1 - index else { continue }
        let late = 1 + generator.number(below: lateMillisecondsMax)
        send(.datagram(bytes), from: index, late: .milliseconds(late))
      case .control(let bytes):
        controls[index].append(bytes)
        send(.control(bytes), from: index, late: .milliseconds(1))
      case .established: established[index] = now
      case .failed(let reason): failures[index] = reason
      }
    }
  }

  private mutating func send(_ content: Content, from index: Int, late: Duration) {
    messages.append(Message(due: now + late, isForDialler: index == 1, content: content))
  }
}

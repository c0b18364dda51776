// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Sealing
internal import Wire

/// A datagram of sleeve that was begun and may take further records.
struct OpenDatagram: BitwiseCopyable {
  /// The UDP payload so far; without a byte if it was sent.
  var payload = Frame(address: 0, length: 0)
  /// Bytes that still fit, in the datagram as in the chunk.
  var room: UInt32 = 0
  /// The way to the next hop.
  var hop = SleeveHop()
}

/// What sending a datagram of sleeve needs of a record.
struct SleeveHop: BitwiseCopyable {
  let template: VXLANTemplate
  /// The place of the key; `EndpointRecord.noKey` if nothing is sealed.
  let sealing: UInt16
  let port: PortIndex

  /// The way nowhere.
  init() {
    let record = EndpointRecord.unresolved(port: PortIndex(0))
    template = record.template
    sealing = record.sealing
    port = record.port
  }

  /// The way to `record`'s next hop, through the fragmenting port if that is needed.
  init(_ record: EndpointRecord, isFragmentable: Bool) {
    template = record.template
    sealing = record.sealing
    port = isFragmentable ? record.fragmentPort : record.port
  }

  /// Bytes of the UDP payload before the records.
  var overhead: Int {
    sealing == EndpointRecord.noKey ? SleeveHeader.length : FrameKey.Layout.sleeveTextOffset
  }

  /// Bytes that a frame gets if it travels alone, with all headers.
  var lengthAround: Int { SleeveEnvelope.length &+ overhead &+ SleeveRecordHeader.length }

  /// Bytes of the longest frame that a datagram holds.
  var frameLengthMax: UInt32 {
    let limit = SleeveEnvelope.payloadLengthMax &- overhead &- SleeveRecordHeader.length
    return UInt32(truncatingIfNeeded: limit)
  }

  /// Tells next hops apart: by address, UDP port and key.
  var key: UInt64 {
    UInt64(template.destination.bits) << 32 | UInt64(template.destinationPort) << 16
      | UInt64(sealing)
  }
}

/// The datagrams of sleeve that a worker has open, each to another next hop, the packets that wait
/// to be sealed, and what it needs to send them.
///
/// Frames of a batch that go to one next hop become records of one datagram as long as they fit,
/// also if those to others lie between them. The frames to one next hop stay in their order.
struct SleevePacker: ~Copyable {
  /// Datagrams that can be open.
  static var capacity: Int { 16 }

  /// By place: which next hop; means nothing where nothing is open.
  private var keys = [16 of UInt64](repeating: 0)
  var datagrams = [16 of OpenDatagram](repeating: OpenDatagram())
  /// Places that are or were in use since the last flush.
  private(set) var placeCount = 0
  /// Datagrams that are open.
  private(set) var openCount = 0
  /// Which place is used anew when all are in use.
  private var nextPlace = 0
  private var lastIdentification: UInt16 = 0
  /// Packets that wait to be sealed.
  var waiting = SealingQueue()
  /// For packets that lie in several chunks.
  var scratch = SleeveScratch()

  /// Whether something has to be sent yet.
  @inline(__always)
  var isHolding: Bool { placeCount | waiting.count > 0 }

  /// Packets that were begun or wait.
  var heldCount: Int { openCount &+ waiting.count }

  /// The place of the datagram that is open to a next hop.
  @inline(__always)
  func place(of key: UInt64) -> Int? {
    for place in 0..<min(placeCount, SleevePacker.capacity)
    where keys[place] == key && datagrams[place].payload.length > 0 {
      return place
    }
    return nil
  }

  /// A place for another datagram; the one that is open there has to be sent first.
  mutating func freePlace() -> Int {
    guard placeCount == SleevePacker.capacity else {
      placeCount &+= 1
      return placeCount &- 1
    }
    nextPlace = (nextPlace &+ 1) % SleevePacker.capacity
    return nextPlace
  }

  /// Opens a datagram at a place where none is.
  mutating func open(_ datagram: OpenDatagram, at place: Int) {
    keys[place] = datagram.hop.key
    datagrams[place] = datagram
    openCount &+= 1
  }

  /// Takes the datagram at a place to be sent; nil if there is none.
  mutating func take(at place: Int) -> OpenDatagram? {
    let datagram = datagrams[place]
    guard datagram.payload.length > 0 else { return nil }
    datagrams[place].payload.length = 0
    openCount &-= 1
    return datagram
  }

  /// All places are free again.
  mutating func clear() { placeCount = 0 }

  /// An identification for the fragments of a datagram: never 0, and not the same for a long time.
  mutating func identification() -> UInt16 {
    lastIdentification = lastIdentification == .max ? 1 : lastIdentification &+ 1
    return lastIdentification
  }
}

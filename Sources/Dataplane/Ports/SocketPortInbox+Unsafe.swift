// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Inet
internal import Tables
internal import Telemetry
internal import Wire
internal import XDP

/// What a queue's sockets received, and how it becomes frames.
///
/// The kernel writes messages into large buffers, because one of them can be many datagrams that it
/// joined. From there they are copied into chunks, a batch at a time, each datagram behind headers
/// that say where it came from and where it was sent to. What finds no chunk stays for a later
/// breath; only what has waited for thousands of them is given up, so that nothing that needs more
/// chunks than there are can stop the port.
///
/// Proof of safety: `buffers` has `length` bytes and `frames` `framesLength`, as long as the
/// carrier's maker keeps them; the kernel tells at most what a buffer holds, and chunks of the fill
/// ring are checked to lie inside of `frames`.
@safe
struct SocketInbox: ~Copyable {
  /// Bytes of the buffers.
  static var length: Int { messageCountMax * bufferLength }
  /// Bytes of the headers in front of a datagram: Ethernet, IPv4 and UDP.
  static var headerLength: Int { 42 }
  /// The longest datagram, without its header.
  static var datagramLengthMax: UInt32 { 65_507 }
  private static var messageCountMax: Int { Int(CLINUX_RECEIVED_MAX) }
  private static var bufferLength: Int { 1 << 16 }
  /// Looks at the sockets that found nothing, after which only every eighth breath looks.
  private static var emptyLooksMax: UInt32 { 64 }
  private static var sparsenessMask: UInt32 { 7 }
  /// Breaths that a datagram waits for chunks.
  private static var patience: UInt32 { 4096 }

  private let buffers: UnsafeMutableRawPointer
  private let frames: UnsafeMutableRawPointer
  private let framesLength: Int
  private let messages: UnsafeMutablePointer<clinux_received_datagrams>
  private let counters: CounterBlock
  /// Messages in the buffers.
  private var messageCount = 0
  /// The message that is next.
  private var message = 0
  /// Where in it the next datagram begins.
  private var offset: UInt32 = 0
  /// The UDP port whose socket received the messages.
  private var udpPort: UInt16 = 0
  /// The place of the socket that is asked next.
  private var place = 0
  private var emptyLooks: UInt32 = 0
  private var waited: UInt32 = 0
  /// Whether a datagram waits for chunks.
  var isStarved: Bool { waited > 0 }

  @unsafe
  init(
    buffers: UnsafeMutableRawPointer, frames: UnsafeMutableRawPointer, framesLength: Int,
    counters: CounterBlock
  ) {
    unsafe self.buffers = buffers
    unsafe self.frames = frames
    self.framesLength = framesLength
    self.counters = counters
    unsafe messages = .allocate(capacity: SocketInbox.messageCountMax)
    unsafe messages.initialize(
      repeating: clinux_received_datagrams(), count: SocketInbox.messageCountMax)
  }

  deinit { unsafe messages.deallocate() }

  /// Puts about a batch of datagrams on the RX ring; asks the sockets for more if there is nothing.
  ///
  /// True if a datagram found too few chunks.
  mutating func receive(
    from sockets: borrowing UDPSockets, into rings: inout KernelRings
  ) -> Bool {
    if message == messageCount {
      guard isTimeToLook() else { return false }
      ask(sockets)
      guard messageCount > 0 else { return false }
    }
    unpack(into: &rings)
    rings.fill.release()
    rings.receive.publish()
    return isStarved
  }

  /// Sockets that were silent for long are not asked in every breath: a call costs as much as a
  /// few frames, which others may be waiting to be carried.
  private mutating func isTimeToLook() -> Bool {
    guard emptyLooks >= SocketInbox.emptyLooksMax else { return true }
    emptyLooks &+= 1
    return emptyLooks & SocketInbox.sparsenessMask == 0
  }

  /// Receives from the first socket, in turn, that has something.
  private mutating func ask(_ sockets: borrowing UDPSockets) {
    message = 0
    offset = 0
    messageCount = 0
    for _ in 0..<sockets.placeCount {
      place = place &+ 1 < sockets.placeCount ? place &+ 1 : 0
      let socket = sockets[place]
      guard socket.descriptor >= 0 else { continue }
      let count = unsafe clinux_receive_datagrams(
        socket.descriptor, buffers, SocketInbox.bufferLength, messages,
        UInt32(SocketInbox.messageCountMax))
      guard count > 0 else { continue }
      messageCount = min(Int(count), SocketInbox.messageCountMax)
      udpPort = socket.udpPort
      emptyLooks = 0
      return
    }
    if emptyLooks < SocketInbox.emptyLooksMax { emptyLooks &+= 1 }
  }

  /// Copies datagrams out of the buffers until a batch is full or chunks are missing.
  private mutating func unpack(into rings: inout KernelRings) {
    var room = Batch.capacity
    while message < messageCount {
      guard isSound else {
        counters.add(1, to: SocketCounter.receiveDropped.rawValue)
        stepOverMessage()
        continue
      }
      let pieces = SocketInbox.pieceCount(of: datagramLength)
      guard pieces <= room else { return }
      let wanted = UInt32(pieces)
      guard rings.receive.room(for: wanted) == wanted, rings.fill.ready(upTo: wanted) == wanted
      else {
        if room == Batch.capacity { waitForChunks() }
        return
      }
      write(into: &rings)
      room &-= pieces
      stepOver()
    }
  }

  /// Counts a breath in which not one datagram found its chunks; gives it up after many.
  private mutating func waitForChunks() {
    waited &+= 1
    guard waited >= SocketInbox.patience else { return }
    counters.add(1, to: SocketCounter.receiveDropped.rawValue)
    stepOver()
  }

  /// Whether the message has come as a whole, in datagrams that have a length that can be told.
  private var isSound: Bool {
    let current = unsafe messages[message]
    return !current.is_cut && current.length <= SocketInbox.bufferLength
      && datagramLength <= SocketInbox.datagramLengthMax
  }

  /// Bytes of the next datagram.
  private var datagramLength: UInt32 {
    let current = unsafe messages[message]
    let rest = current.length &- offset
    return current.segment_length == 0 ? rest : min(rest, UInt32(current.segment_length))
  }

  private mutating func stepOver() {
    waited = 0
    offset &+= datagramLength
    if unsafe offset >= messages[message].length { stepOverMessage() }
  }

  private mutating func stepOverMessage() {
    offset = 0
    message &+= 1
  }

  /// Chunks for a datagram with its headers.
  private static func pieceCount(of length: UInt32) -> Int {
    let pieceLength = UMEM.frameLengthMax
    return max(1, (Int(length) &+ headerLength &+ pieceLength &- 1) / pieceLength)
  }

  /// Copies the next datagram into chunks of the fill ring, and puts those on the RX ring.
  private mutating func write(into rings: inout KernelRings) {
    let length = Int(datagramLength)
    var source =
      unsafe UnsafeRawPointer(buffers) + (message &* SocketInbox.bufferLength &+ Int(offset))
    var left = length
    var used = SocketInbox.headerLength
    repeat {
      guard let chunk = rings.fill.next() else { return }
      let address = Int(chunk) &+ UMEM.headroom
      precondition(address &+ UMEM.frameLengthMax <= framesLength, "a chunk of the worker's memory")
      let start = unsafe frames + address
      if used > 0 { unsafe writeHeaders(at: start, length: length) }
      let count = min(left, UMEM.frameLengthMax &- used)
      unsafe memcpy(start + used, source, count)
      unsafe source += count
      left &-= count
      var descriptor = XDPDescriptor(
        address: UInt64(address), length: UInt32(truncatingIfNeeded: used &+ count))
      if left > 0 { descriptor.options = XDPDescriptor.continued }
      _ = rings.receive.append(descriptor)
      used = 0
    } while left > 0
  }

  /// Writes headers for a datagram of `length` bytes of the current message.
  @unsafe
  private func writeHeaders(at start: UnsafeMutableRawPointer, length: Int) {
    let current = unsafe messages[message]
    var bytes = unsafe MutableSpan<UInt8>(
      _unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: SocketInbox.headerLength)
    EthernetFields(
      destination: MACAddress(bits: 0), source: MACAddress(bits: 0), etherType: .ipv4
    ).encode(into: &bytes)
    IPv4Fields(
      source: IPv4Address(bits: current.source), destination: IPv4Address(bits: current.local),
      protocolNumber: IPProtocol.udp, payloadLength: length &+ 8
    ).encode(into: &bytes, at: 14)
    UDPFields(
      sourcePort: current.source_port, destinationPort: udpPort,
      length: UInt16(truncatingIfNeeded: length &+ 8)
    ).encode(into: &bytes, at: 34)
  }
}

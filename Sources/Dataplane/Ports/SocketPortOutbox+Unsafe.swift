// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Tables
internal import Telemetry
internal import XDP

/// What a queue sends through its sockets: from the TX ring to messages, and from there to the
/// completion ring.
///
/// Up to 64 datagrams at a time are taken off the ring: the window. Those of one flow that are
/// equally long become one message, which the kernel cuts again (UDP_SEGMENT): one walk through the
/// network stack for all of them. Nothing is copied on the way; the kernel reads the chunks.
/// Datagrams of one flow are sent in their order; those of different flows may overtake each other
/// within a window. What the kernel does not take yet stays in the window.
///
/// Proof of safety: the arrays have the capacities below as long as this value lives, and places in
/// them are counted up to those; descriptors are checked to lie inside of `frames`, which the
/// carrier's maker keeps.
@safe
struct SocketOutbox: ~Copyable {
  static var datagramCountMax: Int { Int(CLINUX_SENT_MAX) }
  /// Pieces of the longest frame.
  private static var piecesPerFrameMax: Int { 18 }
  static var pieceCountMax: Int { datagramCountMax * piecesPerFrameMax }
  /// Datagrams, and bytes, that the kernel is given to be cut at most.
  private static var segmentCountMax: UInt32 { 64 }
  private static var cutLengthMax: UInt32 { 65_000 }

  private let frames: UnsafeMutableRawPointer
  private let framesLength: Int
  let counters: CounterBlock
  // The window: datagrams and the descriptors of their pieces, as they came off the ring.
  private let datagrams: UnsafeMutablePointer<OutgoingDatagram>
  private var datagramCount = 0
  private let descriptors: UnsafeMutablePointer<XDPDescriptor>
  private var descriptorCount = 0
  // The plan: messages, and their pieces in the messages' order, with the chunks they are in.
  let messages: UnsafeMutablePointer<OutgoingMessage>
  private(set) var messageCount = 0
  /// Messages before this one are done.
  var firstOpen = 0
  let pieces: UnsafeMutablePointer<iovec>
  private let chunks: UnsafeMutablePointer<UInt64>
  private var pieceCount = 0
  // The messages of one call, and which they are.
  let run: UnsafeMutablePointer<clinux_sent_datagrams>
  let runPlaces: UnsafeMutablePointer<Int>
  /// Whether something waits for the kernel.
  var isOwing = false

  @unsafe
  init(frames: UnsafeMutableRawPointer, framesLength: Int, counters: CounterBlock) {
    unsafe self.frames = frames
    self.framesLength = framesLength
    self.counters = counters
    unsafe datagrams = .allocate(capacity: SocketOutbox.datagramCountMax)
    unsafe descriptors = .allocate(capacity: SocketOutbox.pieceCountMax)
    unsafe messages = .allocate(capacity: SocketOutbox.datagramCountMax)
    unsafe pieces = .allocate(capacity: SocketOutbox.pieceCountMax)
    unsafe chunks = .allocate(capacity: SocketOutbox.pieceCountMax)
    unsafe run = .allocate(capacity: SocketOutbox.datagramCountMax)
    unsafe runPlaces = .allocate(capacity: SocketOutbox.datagramCountMax)
  }

  deinit {
    unsafe datagrams.deallocate()
    unsafe descriptors.deallocate()
    unsafe messages.deallocate()
    unsafe pieces.deallocate()
    unsafe chunks.deallocate()
    unsafe run.deallocate()
    unsafe runPlaces.deallocate()
  }

  /// Sends what is on the TX ring, until that is empty or the kernel wants no more.
  ///
  /// Returns the number of system calls.
  mutating func transmit(from rings: inout KernelRings, through sockets: inout UDPSockets) -> Int {
    var calls = 0
    repeat {
      isOwing = false
      calls &+= send(through: &sockets, to: &rings)
      if isOwing { break }
    } while take(from: &rings, sockets) && plan(&sockets)
    rings.completion.publish()
    return calls
  }

  /// Takes the next window off the TX ring; false if there is none.
  ///
  /// Every chunk it takes has room on the completion ring.
  private mutating func take(from rings: inout KernelRings, _ sockets: borrowing UDPSockets) -> Bool
  {
    let wanted = UInt32(SocketOutbox.pieceCountMax)
    let ready = rings.transmit.ready(upTo: wanted)
    let limit = Int(min(ready, rings.completion.room(for: ready)))
    let entries = unsafe rings.transmit.upcoming
    (datagramCount, descriptorCount) = (0, 0)
    var place = 0
    while place < limit, datagramCount < SocketOutbox.datagramCountMax {
      var end = place
      while end < limit, end &- place < SocketOutbox.piecesPerFrameMax &- 1,
        entries[end].options & XDPDescriptor.continued != 0
      {
        end &+= 1
      }
      guard end < limit else { break }
      let first = descriptorCount
      var length: UInt32 = 0
      for index in place...end {
        unsafe descriptors[descriptorCount] = entries[index]
        length &+= entries[index].length
        descriptorCount &+= 1
      }
      place = end &+ 1
      admit(first, length: length, sockets, rings: &rings)
    }
    rings.transmit.advance(by: UInt32(place))
    rings.transmit.release()
    isOwing = place == 0 && ready > 0
    return place > 0
  }

  /// Makes the descriptors from `first` on a datagram of the window; if they are none, its chunks
  /// are given back.
  private mutating func admit(
    _ first: Int, length: UInt32, _ sockets: borrowing UDPSockets, rings: inout KernelRings
  ) {
    guard var datagram = unsafe read(descriptors[first], length: length, sockets) else {
      counters.add(1, to: SocketCounter.transmitRefused.rawValue)
      for index in first..<descriptorCount {
        _ = unsafe rings.completion.append(descriptors[index].address)
      }
      descriptorCount = first
      return
    }
    datagram.firstDescriptor = UInt16(truncatingIfNeeded: first)
    datagram.pieceCount = UInt8(truncatingIfNeeded: descriptorCount &- first)
    unsafe datagrams[datagramCount] = datagram
    datagramCount &+= 1
  }

  /// What the headers of a frame of `length` bytes say; nil if it is not UDP over IPv4, or longer
  /// than UDP allows.
  private func read(
    _ head: XDPDescriptor, length: UInt32, _ sockets: borrowing UDPSockets
  ) -> OutgoingDatagram? {
    let headerLength = UInt32(SocketInbox.headerLength)
    guard head.length >= headerLength, length <= SocketInbox.datagramLengthMax &+ headerLength,
      UInt64(head.address) &+ UInt64(head.length) <= UInt64(framesLength)
    else { return nil }
    let start = unsafe UnsafeRawPointer(frames) + Int(head.address)
    let typeAndVersion = unsafe start.loadUnaligned(fromByteOffset: 12, as: UInt32.self).bigEndian
    let protocolNumber = unsafe start.load(fromByteOffset: 23, as: UInt8.self)
    guard typeAndVersion >> 8 == 0x0800_45, protocolNumber == 17 else { return nil }
    let flags = unsafe start.load(fromByteOffset: 20, as: UInt8.self)
    let source = unsafe start.loadUnaligned(fromByteOffset: 26, as: UInt32.self).bigEndian
    let destination = unsafe start.loadUnaligned(fromByteOffset: 30, as: UInt32.self).bigEndian
    let ports = unsafe start.loadUnaligned(fromByteOffset: 34, as: UInt32.self).bigEndian
    let socket = sockets.place(of: UInt16(truncatingIfNeeded: ports >> 16)) ?? 0
    return OutgoingDatagram(
      flow: UInt64(destination) << 32 | UInt64(ports & 0xFFFF) << 16 | UInt64(ports >> 16),
      source: source, length: length &- headerLength, mayFragment: flags & 0x40 == 0,
      socket: UInt8(truncatingIfNeeded: socket))
  }

  /// Makes messages of the window's datagrams.
  private mutating func plan(_ sockets: inout UDPSockets) -> Bool {
    (messageCount, firstOpen, pieceCount) = (0, 0, 0)
    for place in 0..<datagramCount where unsafe !datagrams[place].isPlanned {
      let first = unsafe datagrams[place]
      unsafe messages[messageCount] = OutgoingMessage(
        sent: clinux_sent_datagrams(
          destination: first.destination, source: first.source,
          destination_port: first.destinationPort, segment_length: 0,
          first_piece: UInt32(pieceCount), piece_count: 0),
        flow: first.flow, length: 0, count: 0, socket: first.socket,
        mayFragment: first.mayFragment)
      append(place)
      if place &+ 1 < datagramCount, sockets[Int(first.socket)].cuts(first.length) {
        join(first, from: place &+ 1)
      }
      messageCount &+= 1
    }
    return true
  }

  /// Adds those of the datagrams from `start` on to the current message that go the same way as
  /// `first`, as far as its flow stays in order.
  private mutating func join(_ first: OutgoingDatagram, from start: Int) {
    for place in start..<datagramCount {
      let next = unsafe datagrams[place]
      guard next.flow == first.flow, !next.isPlanned else { continue }
      let message = unsafe messages[messageCount]
      guard next.source == first.source, next.mayFragment == first.mayFragment,
        next.length <= first.length, next.length > 0,
        message.count < SocketOutbox.segmentCountMax,
        message.length &+ next.length <= SocketOutbox.cutLengthMax
      else { return }
      append(place)
      unsafe messages[messageCount].sent.segment_length = UInt16(truncatingIfNeeded: first.length)
      if next.length < first.length { return }
    }
  }

  /// Adds a datagram of the window to the current message.
  private mutating func append(_ place: Int) {
    let datagram = unsafe datagrams[place]
    unsafe datagrams[place].isPlanned = true
    var header = SocketInbox.headerLength
    for index in 0..<Int(datagram.pieceCount) {
      let descriptor = unsafe descriptors[Int(datagram.firstDescriptor) &+ index]
      let end = descriptor.address.addingReportingOverflow(UInt64(descriptor.length))
      precondition(
        !end.overflow && end.partialValue <= UInt64(framesLength), "a piece of the worker's memory")
      unsafe pieces[pieceCount] = iovec(
        iov_base: frames + (Int(descriptor.address) &+ header),
        iov_len: Int(descriptor.length) &- header)
      unsafe chunks[pieceCount] = descriptor.address
      pieceCount &+= 1
      header = 0
    }
    unsafe messages[messageCount].sent.piece_count &+= UInt32(datagram.pieceCount)
    unsafe messages[messageCount].length &+= datagram.length
    unsafe messages[messageCount].count &+= 1
  }

  /// Gives the chunks of a message's next `count` pieces back.
  func complete(_ message: OutgoingMessage, pieces count: Int, to rings: inout KernelRings) {
    let first = Int(message.sent.first_piece)
    for index in first..<(first &+ count) {
      _ = unsafe rings.completion.append(chunks[index])
    }
  }
}

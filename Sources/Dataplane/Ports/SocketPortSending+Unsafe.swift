// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Tables
internal import Telemetry
internal import XDP

/// How the messages of a window reach the kernel.
///
/// Proof of safety: that of `SocketOutbox`; places are those of messages, and pieces those that the
/// messages were planned with.
extension SocketOutbox {
  /// Sends the messages that are not done, or stops where the kernel wants no more for now.
  ///
  /// Returns the number of system calls.
  mutating func send(through sockets: inout UDPSockets, to rings: inout KernelRings) -> Int {
    var calls = 0
    while !isOwing {
      while firstOpen < messageCount, unsafe messages[firstOpen].isDone { firstOpen &+= 1 }
      guard firstOpen < messageCount else { break }
      let place = unsafe Int(messages[firstOpen].socket)
      let mayFragment = unsafe messages[firstOpen].mayFragment
      sockets[place].setFragmentation(mayFragment)
      if unsafe messages[firstOpen].isSplit {
        calls &+= sendSplit(firstOpen, through: &sockets, to: &rings)
      } else {
        sendRun(through: &sockets, to: &rings)
        calls &+= 1
      }
    }
    return calls
  }

  /// Sends, with one call, the first message and all that leave through the same socket with the
  /// same DF and do not overtake another of their flow.
  private mutating func sendRun(through sockets: inout UDPSockets, to rings: inout KernelRings) {
    let count = gatherRun()
    let place = unsafe Int(messages[firstOpen].socket)
    let result = unsafe clinux_send_datagrams(
      sockets[place].descriptor, run, UInt32(truncatingIfNeeded: count), pieces)
    guard result > 0 else {
      return refuse(firstOpen, error: -result, through: &sockets, to: &rings)
    }
    for index in 0..<min(Int(result), count) {
      let message = unsafe messages[runPlaces[index]]
      if message.sent.segment_length > 0 { sockets[place].didCut() }
      complete(message, pieces: Int(message.sent.piece_count), to: &rings)
      unsafe messages[runPlaces[index]].isDone = true
    }
  }

  /// Gathers the messages of one call; returns how many.
  ///
  /// What is left out keeps those behind it in its flow from overtaking: a bit for the flow says
  /// so, which others may share to no harm.
  private func gatherRun() -> Int {
    let first = unsafe messages[firstOpen]
    var passed: UInt64 = 0
    var count = 0
    for place in firstOpen..<messageCount {
      let message = unsafe messages[place]
      guard !message.isDone else { continue }
      let flow = UInt64(1) << ((message.flow &* 0x9E37_79B9_7F4A_7C15) >> 58)
      if message.socket == first.socket, message.mayFragment == first.mayFragment,
        !message.isSplit, passed & flow == 0
      {
        unsafe run[count] = message.sent
        unsafe runPlaces[count] = place
        count &+= 1
      } else {
        passed |= flow
      }
    }
    return count
  }

  /// The kernel would not take a message: it waits, goes again in single datagrams, or is lost.
  private mutating func refuse(
    _ place: Int, error: CInt, through sockets: inout UDPSockets, to rings: inout KernelRings
  ) {
    guard !SocketOutbox.isPassing(error) else {
      isOwing = true
      return
    }
    let message = unsafe messages[place]
    let mayBeForCutting = error == EINVAL || error == EIO || error == EMSGSIZE
    if message.sent.segment_length > 0, mayBeForCutting {
      unsafe messages[place].isSplit = true
      // Where a packet is changed once more on its way out, as by IPsec, nothing is cut.
      if error == EIO { sockets[Int(message.socket)].failedToCut() }
      unsafe messages[place].mayBeTooLong = error != EIO
      return
    }
    counters.add(UInt64(message.count), to: SocketCounter.transmitRefused.rawValue)
    complete(message, pieces: Int(message.sent.piece_count), to: &rings)
    unsafe messages[place].isDone = true
  }

  /// Whether the same call will be answered otherwise a moment later.
  private static func isPassing(_ error: CInt) -> Bool {
    error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR
  }

  /// Sends the datagrams of a message one by one; returns the number of system calls.
  private mutating func sendSplit(
    _ place: Int, through sockets: inout UDPSockets, to rings: inout KernelRings
  ) -> Int {
    var calls = 0
    while unsafe messages[place].count > 0 {
      let message = unsafe messages[place]
      let length = min(UInt32(message.sent.segment_length), message.length)
      let pieceCount = firstPieceCount(of: message, length: length)
      unsafe run[0] = message.sent
      unsafe run[0].segment_length = 0
      unsafe run[0].piece_count = UInt32(truncatingIfNeeded: pieceCount)
      let descriptor = sockets[Int(message.socket)].descriptor
      let result = unsafe clinux_send_datagrams(descriptor, run, 1, pieces)
      calls &+= 1
      if result < 0 {
        isOwing = SocketOutbox.isPassing(-result)
        guard !isOwing else { return calls }
        counters.add(1, to: SocketCounter.transmitRefused.rawValue)
      }
      if message.mayBeTooLong, result > 0 || result == -EMSGSIZE {
        sockets[Int(message.socket)].refusedToCut(UInt32(message.sent.segment_length))
      }
      complete(message, pieces: pieceCount, to: &rings)
      unsafe messages[place].sent.first_piece &+= UInt32(truncatingIfNeeded: pieceCount)
      unsafe messages[place].sent.piece_count &-= UInt32(truncatingIfNeeded: pieceCount)
      unsafe messages[place].length &-= length
      unsafe messages[place].count &-= 1
    }
    unsafe messages[place].isDone = true
    return calls
  }

  /// Pieces of a message's first datagram, of `length` bytes.
  private func firstPieceCount(of message: OutgoingMessage, length: UInt32) -> Int {
    var count = 0
    var found = 0
    while found < Int(length), count < Int(message.sent.piece_count) {
      found &+= unsafe pieces[Int(message.sent.first_piece) &+ count].iov_len
      count &+= 1
    }
    return count
  }
}

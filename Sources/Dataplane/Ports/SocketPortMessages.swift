// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A datagram that was taken off the TX ring.
struct OutgoingDatagram: BitwiseCopyable {
  /// Destination address and port, and our own port.
  var flow: UInt64
  /// Our own address; 0 lets the kernel choose.
  var source: UInt32
  /// Bytes behind the headers.
  var length: UInt32
  var mayFragment: Bool
  /// Whether it is part of a message.
  var isPlanned = false
  /// The place of the socket it leaves through.
  var socket: UInt8
  var pieceCount: UInt8 = 1
  /// Where among the window's descriptors it begins.
  var firstDescriptor: UInt16 = 0

  var destination: UInt32 { UInt32(truncatingIfNeeded: flow >> 32) }
  var destinationPort: UInt16 { UInt16(truncatingIfNeeded: flow >> 16) }
}

/// Datagrams that one message carries: one of any length, or several of one flow and length, of
/// which the last may be shorter.
struct OutgoingMessage: BitwiseCopyable {
  /// What the kernel is told.
  var sent: clinux_sent_datagrams
  var flow: UInt64
  /// Bytes of all datagrams.
  var length: UInt32
  /// Datagrams.
  var count: UInt32
  var socket: UInt8
  var mayFragment: Bool
  /// Whether the kernel would not cut it, so that its datagrams go one by one.
  var isSplit = false
  /// Whether that may be because they are too long for it.
  var mayBeTooLong = false
  /// Whether nothing of it is left to be done.
  var isDone = false
}

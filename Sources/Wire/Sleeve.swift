// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Offsets in a sleeve datagram, Weave Net's overlay over UDP.
///
/// The sender's name comes first; if the datagram is sealed, its sequence number and a box follow.
/// The rest, or what is in the box, is records: source, destination, length and frame.
@usableFromInline
enum SleeveLayout {
  @usableFromInline static let sender = 0
  @usableFromInline static let length = 6
  @usableFromInline static let sequence = 6
  @usableFromInline static let sealedLength = 14
  // Within a record.
  @usableFromInline static let source = 0
  @usableFromInline static let destination = 6
  @usableFromInline static let frameLength = 12
  @usableFromInline static let recordLength = 14
}

/// Looks at the beginning that all sleeve datagrams have.
public struct SleeveHeader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes before the records of a datagram that is not sealed.
  public static let length = 6

  /// Takes a datagram of at least 6 bytes.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= SleeveLayout.length else { return nil }
    self.bytes = bytes
  }

  /// The peer that sent the datagram over this hop.
  @inlinable public var sender: PeerName {
    @inline(__always) get { PeerName(bits: bytes.loadUInt48(at: SleeveLayout.sender)) }
  }
}

/// Looks at the beginning of a sealed datagram.
public struct SleeveSealedHeader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes before the box.
  public static let length = 14

  /// Takes a datagram of at least 14 bytes; whether the box opens is another question.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= SleeveLayout.sealedLength else { return nil }
    self.bytes = bytes
  }

  /// The peer that sent the datagram over this hop.
  @inlinable public var sender: PeerName {
    @inline(__always) get { PeerName(bits: bytes.loadUInt48(at: SleeveLayout.sender)) }
  }

  /// Which of the sender's datagrams this is.
  @inlinable public var sequence: SleeveSequence {
    @inline(__always) get { SleeveSequence(bits: bytes.loadUInt64(at: SleeveLayout.sequence)) }
  }
}

/// Looks at a record: who sent a frame to whom, and the frame.
public struct SleeveRecordHeader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes before the frame.
  public static let length = 14

  /// Takes a record that is not longer than what is there; others may follow it.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= SleeveLayout.recordLength else { return nil }
    let frameLength = Int(bytes.loadUInt16(at: SleeveLayout.frameLength))
    guard frameLength <= bytes.count &- SleeveLayout.recordLength else { return nil }
    self.bytes = bytes
  }

  /// The peer where the frame came into the overlay.
  @inlinable public var source: PeerName {
    @inline(__always) get { PeerName(bits: bytes.loadUInt48(at: SleeveLayout.source)) }
  }

  /// The peer that the frame is for; of a flood the neighbour that it was sent to.
  @inlinable public var destination: PeerName {
    @inline(__always) get { PeerName(bits: bytes.loadUInt48(at: SleeveLayout.destination)) }
  }

  /// Bytes of the frame, from 0 on.
  @inlinable public var frameLength: Int {
    @inline(__always) get { Int(bytes.loadUInt16(at: SleeveLayout.frameLength)) }
  }
}

/// The header of a record as a value.
public struct SleeveRecordFields: Hashable, Sendable, BitwiseCopyable {
  /// The peer where the frame came into the overlay.
  public var source: PeerName
  /// The peer that the frame is for; of a flood the neighbour that it is sent to.
  public var destination: PeerName
  /// Bytes of the frame.
  public var frameLength: UInt16

  /// Names every field.
  @inlinable
  public init(source: PeerName, destination: PeerName, frameLength: UInt16) {
    self.source = source
    self.destination = destination
    self.frameLength = frameLength
  }

  /// Copies the fields out of a record.
  @inlinable
  public init(_ header: borrowing SleeveRecordHeader) {
    self.init(
      source: header.source, destination: header.destination,
      frameLength: UInt16(truncatingIfNeeded: header.frameLength))
  }

  /// Writes 14 bytes at `offset`, which must be there.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encode(into bytes: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(
      offset >= 0 && bytes.count &- offset >= SleeveLayout.recordLength,
      "the header of a sleeve record needs 14 bytes")
    bytes.storeUInt48(source.bits, at: offset &+ SleeveLayout.source)
    bytes.storeUInt48(destination.bits, at: offset &+ SleeveLayout.destination)
    bytes.store(frameLength, at: offset &+ SleeveLayout.frameLength)
  }
}

/// The beginning of a datagram as a value.
public struct SleeveFields: Hashable, Sendable, BitwiseCopyable {
  /// The peer that sends the datagram over this hop.
  public var sender: PeerName
  /// Which of the sender's datagrams this is, if it is sealed.
  public var sequence: SleeveSequence?

  /// Names every field.
  @inlinable
  public init(sender: PeerName, sequence: SleeveSequence? = nil) {
    self.sender = sender
    self.sequence = sequence
  }

  /// Bytes before the records, or before the box.
  @inlinable public var length: Int {
    sequence == nil ? SleeveLayout.length : SleeveLayout.sealedLength
  }

  /// Writes `length` bytes at `offset`, which must be there.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encode(into bytes: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(
      offset >= 0 && bytes.count &- offset >= length,
      "a sleeve header needs 6 bytes, a sealed one 14")
    bytes.storeUInt48(sender.bits, at: offset &+ SleeveLayout.sender)
    if let sequence { bytes.store(sequence.bits, at: offset &+ SleeveLayout.sequence) }
  }
}

extension SleeveRecordFields: CustomStringConvertible {
  /// Source, destination and length.
  public var description: String { "\(source) > \(destination), \(frameLength) bytes" }
}

extension SleeveFields: CustomStringConvertible {
  /// The sender, and the sequence number if there is one.
  public var description: String {
    sequence.map { "sleeve from \(sender), \($0)" } ?? "sleeve from \(sender)"
  }
}

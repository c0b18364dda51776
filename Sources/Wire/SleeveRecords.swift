// SPDX-License-Identifier: Apache-2.0

public import Inet

/// A record that was found, and where its frame is.
public struct SleeveRecord: Hashable, Sendable, BitwiseCopyable {
  /// The peer where the frame came into the overlay.
  public let source: PeerName
  /// The peer that the frame is for; of a flood the neighbour that it was sent to.
  public let destination: PeerName
  /// Where the frame starts, from the beginning of all records.
  public let frameOffset: Int
  /// Bytes of the frame; nothing says that they are enough for an Ethernet header.
  public let frameLength: Int

  /// Where the frame is, from the beginning of all records.
  @inlinable public var frame: Range<Int> {
    @inline(__always) get { frameOffset..<frameOffset &+ frameLength }
  }

  @inlinable
  @inline(__always)
  init(_ header: borrowing SleeveRecordHeader, at offset: Int) {
    source = header.source
    destination = header.destination
    frameOffset = offset &+ SleeveLayout.recordLength
    frameLength = header.frameLength
  }
}

/// Finds the records of a datagram one after the other.
///
/// Every record that is found lies within the bytes. What a sender cut short is known only after
/// the records before it: `isMalformed`.
public struct SleeveRecords: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>
  @usableFromInline var offset = 0

  /// Whether bytes are left that are no whole record; certain after `next` gave nil.
  @inlinable public var isMalformed: Bool {
    @inline(__always) get { offset != bytes.count }
  }

  /// Takes what follows the sender's name, or what was in the box.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
  }

  /// The next record; nil after the last one, and from the first on that is not whole.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func next() -> SleeveRecord? {
    guard let header = SleeveRecordHeader(bytes.extracting(droppingFirst: offset)) else {
      return nil
    }
    let record = SleeveRecord(header, at: offset)
    offset = record.frameOffset &+ record.frameLength
    return record
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Which of a sender's sealed datagrams one is, and so a part of its nonce.
///
/// Datagrams that the underlay may fragment and those that it may not are counted each by
/// themselves, from 0 for each connection. The kind travels within the number, because a router may
/// change the flag in the IPv4 header.
public struct SleeveSequence: Hashable, Sendable, BitwiseCopyable {
  /// The number as it travels: bit 63 is set if the datagram may not be fragmented.
  public let bits: UInt64

  /// Takes what travels.
  @inlinable
  @inline(__always)
  public init(bits: UInt64) { self.bits = bits }

  /// Takes a number below 2⁶³ and the kind that it counts.
  @inlinable
  @inline(__always)
  public init(number: UInt64, isFragmentable: Bool) {
    bits = number & ~SleeveSequence.unfragmentable | (isFragmentable ? 0 : Self.unfragmentable)
  }

  /// How many of its kind were before it.
  @inlinable public var number: UInt64 {
    @inline(__always) get { bits & ~SleeveSequence.unfragmentable }
  }

  /// Whether the underlay may fragment the datagram.
  @inlinable public var isFragmentable: Bool {
    @inline(__always) get { bits & SleeveSequence.unfragmentable == 0 }
  }

  /// Bytes of a nonce.
  public static let nonceLength = 24

  @usableFromInline static let unfragmentable: UInt64 = 1 << 63

  /// Writes the 24 bytes of the datagram's nonce at `offset`, which must be there.
  ///
  /// `isOutbound` says whether the sender dialled the connection's TCP session. That keeps the
  /// nonces of both ends apart, which share one key.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encodeNonce(
    into bytes: inout MutableSpan<UInt8>, at offset: Int = 0, isOutbound: Bool
  ) {
    precondition(
      offset >= 0 && bytes.count &- offset >= SleeveSequence.nonceLength,
      "a nonce needs 24 bytes")
    // Bit 62 is set in nonces of the TCP session and clear in those of datagrams.
    bytes.store(isOutbound ? 1 << 63 : 0 as UInt64, at: offset)
    bytes.store(0 as UInt64, at: offset &+ 8)
    bytes.store(bits, at: offset &+ 16)
  }
}

extension SleeveSequence: CustomStringConvertible {
  /// The number and its kind.
  public var description: String {
    "number \(number) of those that \(isFragmentable ? "may" : "may not") be fragmented"
  }
}

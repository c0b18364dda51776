// SPDX-License-Identifier: Apache-2.0

/// The first 40 bytes of a frame in five words, the first byte of each the lowest.
///
/// Enough for every field of Ethernet, IPv4 without options and ports. Whoever holds the memory
/// loads them, each with one instruction: out of a span's checked subscripts the compiler makes
/// single bytes as soon as only parts of a word are asked for.
public struct LeadingWords: BitwiseCopyable, Sendable, Hashable {
  /// Bytes that have to be there.
  public static let length = 40

  /// Ethernet's destination and the first two bytes of the source.
  @usableFromInline let stations: UInt64
  /// The rest of the source, EtherType, then IPv4: version and length, class of service.
  @usableFromInline let type: UInt64
  /// Total length, identification, flags and offset, time to live, protocol.
  @usableFromInline let middle: UInt64
  /// Checksum, source, and the destination's first half.
  @usableFromInline let addresses: UInt64
  /// The destination's other half, both ports, and what follows them.
  @usableFromInline let ports: UInt64

  /// Takes the words at 0, 8, 16, 24 and 32 bytes from the frame's start.
  @inlinable
  @inline(__always)
  public init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64, _ fifth: UInt64)
  {
    stations = first
    type = second
    middle = third
    addresses = fourth
    ports = fifth
  }

  /// Reads them out of a frame, unless it is shorter.
  public init?(_ frame: Span<UInt8>) {
    guard frame.count >= LeadingWords.length else { return nil }
    func word(_ offset: Int) -> UInt64 { frame.loadUInt64(at: offset).byteSwapped }
    self.init(word(0), word(8), word(16), word(24), word(32))
  }

  /// Whether this is Ethernet with IPv4 of version 4 and a header of 20 bytes.
  @inlinable var isPlainIPv4: Bool {
    @inline(__always) get { (type >> 32) & 0xFF_FFFF == 0x45_0008 }
  }

  /// Whether an IPv4 packet is whole: neither more fragments nor an offset.
  @inlinable var isWhole: Bool {
    @inline(__always) get { (middle >> 32) & 0xFF3F == 0 }
  }

  /// What an IPv4 packet carries.
  @inlinable var protocolNumber: UInt8 {
    @inline(__always) get { UInt8(truncatingIfNeeded: middle >> 56) }
  }
}

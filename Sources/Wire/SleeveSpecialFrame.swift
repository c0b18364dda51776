// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Offsets and lengths of frames between two sleeves, whose Ethernet header is all zero.
@usableFromInline
enum SleeveSpecialLayout {
  @usableFromInline static let connectionUID = 14
  @usableFromInline static let heartbeatLength = 22
  @usableFromInline static let fragmentationTestLength = 60_001
}

/// What two sleeves say to each other in place of a frame.
///
/// It counts only from the neighbour itself and for the peer itself.
public enum SleeveSpecialFrame: Hashable, Sendable, BitwiseCopyable {
  /// The path works; the number is the connection's.
  case heartbeat(connectionUID: UInt64)
  /// The underlay carries fragments, if this arrives whole.
  case fragmentationTest
  /// A fragmentation test with something else than zeros in it, which is not to be answered.
  case damagedFragmentationTest
  /// The underlay carries frames with so many bytes after their Ethernet header.
  case mtuTest(mtu: UInt16)

  /// Bytes of a heartbeat.
  public static let heartbeatLength = 22

  /// Whether a frame is one between two sleeves: no station has the address zero.
  @inlinable
  @inline(__always)
  public static func isSpecial(_ frame: Span<UInt8>) -> Bool {
    guard let header = EthernetHeader(frame) else { return false }
    // The destination of a container's frame is not zero, and nothing more is loaded then.
    return header.destination == .zero && header.source == .zero && header.etherType.rawValue == 0
  }

  /// Reads a frame between two sleeves; nil if it is a container's, or shorter than its header.
  ///
  /// Only the length tells which one it is. It must be below 65,536, as of every record.
  public init?(_ frame: Span<UInt8>) {
    guard SleeveSpecialFrame.isSpecial(frame) else { return nil }
    switch frame.count {
    case SleeveSpecialLayout.heartbeatLength:
      self = .heartbeat(connectionUID: frame.loadUInt64(at: SleeveSpecialLayout.connectionUID))
    case SleeveSpecialLayout.fragmentationTestLength:
      self = isZero(frame) ? .fragmentationTest : .damagedFragmentationTest
    default:
      self = .mtuTest(mtu: UInt16(clamping: frame.count &- EthernetLayout.length))
    }
  }

  /// Writes the 22 bytes of a heartbeat at `offset`, which must be there.
  @_lifetime(bytes: copy bytes)
  public static func encodeHeartbeat(
    connectionUID: UInt64, into bytes: inout MutableSpan<UInt8>, at offset: Int = 0
  ) {
    precondition(
      offset >= 0 && bytes.count &- offset >= SleeveSpecialLayout.heartbeatLength,
      "a heartbeat needs 22 bytes")
    bytes.storeUInt48(0, at: offset)
    bytes.store(0 as UInt64, at: offset &+ 6)
    bytes.store(connectionUID, at: offset &+ SleeveSpecialLayout.connectionUID)
  }
}

/// Whether every byte is zero.
private func isZero(_ bytes: Span<UInt8>) -> Bool {
  var all: UInt8 = 0
  for index in bytes.indices { all |= bytes[index] }
  return all == 0
}

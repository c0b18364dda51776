// SPDX-License-Identifier: Apache-2.0

/// What a peer of the mesh is called: a number below 2⁴⁸, written like a MAC address.
///
/// Peers are ordered by their number; every peer computes routes from that order, so it is part of
/// the protocol. 0 stands for "unknown" and no peer has it.
public struct PeerName: Hashable, Sendable, BitwiseCopyable, Comparable {
  /// The name as a number below 2⁴⁸; the first octet on the wire is the most significant.
  public let bits: UInt64

  /// Takes the low 48 bits of `bits`.
  @inlinable
  public init(bits: UInt64) {
    self.bits = bits & 0xFFFF_FFFF_FFFF
  }

  /// 00:00:00:00:00:00, which means that a peer is not known.
  @inlinable
  public static var unknown: PeerName { PeerName(bits: 0) }

  /// The six octets as they travel, the most significant first.
  public var octets: [UInt8] {
    (0..<6).map { UInt8(truncatingIfNeeded: bits >> UInt64(40 - 8 * $0)) }
  }

  /// Reads six octets, the most significant first; any other count is nil.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 6 else { return nil }
    self.init(bits: octets.reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// Orders names as numbers.
  public static func < (left: PeerName, right: PeerName) -> Bool { left.bits < right.bits }
}

extension PeerName: LosslessStringConvertible, Codable {
  /// Six octets in lower-case hexadecimal, joined by colons.
  public var description: String { MACAddress(bits: bits).description }

  /// Reads octets of one or two hexadecimal digits joined by colons; anything else is nil.
  ///
  /// There are six of them, or at most four with one `::` in place of the octets that are zero.
  public init?(_ description: String) {
    let parts = description.split(separator: ":", omittingEmptySubsequences: false)
    if let range = description.firstRange(of: "::") {
      let head = PeerName.octets(in: description[..<range.lowerBound])
      let tail = PeerName.octets(in: description[range.upperBound...])
      guard let head, let tail, 1...4 ~= head.count + tail.count else { return nil }
      let zeros = [UInt8](repeating: 0, count: 6 - head.count - tail.count)
      self.init(octets: head + zeros + tail)
    } else {
      guard parts.count == 6, let octets = PeerName.octets(in: description[...]) else { return nil }
      self.init(octets: octets)
    }
  }

  /// The octets of text without an elision; empty for empty text, nil for anything wrong.
  private static func octets(in text: Substring) -> [UInt8]? {
    if text.isEmpty { return [] }
    var octets: [UInt8] = []
    for part in text.split(separator: ":", omittingEmptySubsequences: false) {
      guard 1...2 ~= part.utf8.count, part.utf8.allSatisfy({ isHexadecimal($0) }),
        let value = UInt8(part, radix: 16)
      else { return nil }
      octets.append(value)
    }
    return octets
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    48...57 ~= byte || 65...70 ~= byte || 97...102 ~= byte
  }

  /// Decodes the textual form.
  public init(from decoder: any Decoder) throws {
    self = try decodeText(decoder, accepted: "a peer name like 02:00:00:00:00:0a")
  }

  /// Encodes the textual form.
  public func encode(to encoder: any Encoder) throws {
    try encodeText(self, encoder)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Packets that are sealed, or opened, together.
public struct SealingBatch: ~Copyable {
  /// Packets at most.
  public static var capacity: Int { 64 }

  /// What came of a packet.
  public enum Outcome: UInt8, BitwiseCopyable, Sendable {
    /// Nothing yet.
    case pending
    /// It is sealed, or opened and new; it is where it was.
    case done
    /// It was changed on the way, or sealed with another key; its text is not to be used.
    case notAuthentic
    /// It was opened before, or is too old to tell.
    case replayed
    /// It is too short for what surrounds the text.
    case malformed
    /// No key of the ones it names is there, or the one it names is not of those.
    case keyMissing
    /// The key has no numbers left.
    case exhausted
  }

  /// One packet.
  public struct Packet: BitwiseCopyable, Sendable {
    /// Where it begins in the memory.
    public var offset: UInt32
    /// Its bytes, all that is around the text among them.
    public var length: UInt32
    /// The key's place in `FrameKeys`.
    public var key: UInt16
    /// When opening: the place of the key before that one; `FrameKeys.none` if there is none.
    public var formerKey: UInt16 = FrameKeys.none
    /// When sealing for sleeve: whether the underlay may fragment it.
    public var isFragmentable = false

    /// Describes a packet.
    public init(offset: UInt32, length: UInt32, key: UInt16) {
      self.offset = offset
      self.length = length
      self.key = key
    }
  }

  /// How many there are.
  public private(set) var count = 0
  private var packets = [64 of Packet](repeating: Packet(offset: 0, length: 0, key: .max))
  private var outcomes = [64 of Outcome](repeating: .pending)

  /// An empty batch.
  public init() {}

  /// Adds a packet; there must be room.
  @inline(__always)
  public mutating func append(_ packet: Packet) {
    packets[count] = packet
    outcomes[count] = .pending
    count &+= 1
  }

  /// The packet in a row.
  @inline(__always)
  public subscript(row: Int) -> Packet { packets[row] }

  /// What came of the packet in a row.
  @inline(__always)
  public func outcome(of row: Int) -> Outcome { outcomes[row] }

  @inline(__always)
  mutating func note(_ outcome: Outcome, of row: Int) { outcomes[row] = outcome }

  /// Forgets all packets.
  @inline(__always)
  public mutating func removeAll() { count = 0 }
}

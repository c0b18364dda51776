// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Inet

/// One Ethernet packet in a worker's memory.
///
/// Frames are in one piece for now; a frame in several pieces will say so here and nowhere else.
public struct Frame: BitwiseCopyable, Sendable, Equatable {
  /// Where it starts, in bytes from the start of the worker's memory.
  public var address: UInt32
  /// Its bytes.
  public var length: UInt32

  /// Describes a frame.
  @inlinable
  public init(address: UInt32, length: UInt32) {
    self.address = address
    self.length = length
  }
}

/// Frames drawn together from one port, in parallel rows: row *i* of each array is frame *i*.
public struct Batch: ~Copyable {
  /// Frames at most.
  public static var capacity: Int { 64 }

  /// Frames in the batch.
  public var count = 0
  /// Where the frames are.
  public var frames = [64 of Frame](repeating: Frame(address: 0, length: 0))
  /// What becomes of them.
  public var verdicts = [64 of Verdict](repeating: .undecided)
  /// Where their senders are, as far as the way they came tells.
  public var origins = [64 of UInt32](repeating: 0)
  /// Network identifiers of frames that came over the mesh, and of no others.
  public var networks = [64 of VirtualNetwork](repeating: VirtualNetwork(bits: 0))
  /// Frames that are relayed to other peers.
  public var relayCount = 0
  /// Table keys of their source addresses.
  public var sourceKeys = [64 of UInt64](repeating: 0)
  /// Table keys of their destination addresses.
  public var destinationKeys = [64 of UInt64](repeating: 0)
  /// Where the look-ups of the source keys start.
  public var sourceHomes = [64 of UInt64](repeating: 0)
  /// Where the look-ups of the destination keys start.
  public var destinationHomes = [64 of UInt64](repeating: 0)

  /// An empty batch.
  public init() {}

  /// The rows in use.
  ///
  /// Bounded by the capacity for the compiler's sake, which then checks no index in a loop.
  @inline(__always)
  var rows: Range<Int> { 0..<max(0, min(count, Batch.capacity)) }

  /// Makes every frame one from `origin` that no stage has looked at.
  @inline(__always)
  public mutating func begin(from origin: Location) {
    relayCount = 0
    for row in rows {
      verdicts[row] = .undecided
      origins[row] = origin.bits
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Inet
internal import XDP

/// One Ethernet packet in a worker's memory.
///
/// It is in one chunk, or in several: then it is a **chain**. The first piece, the head, lies
/// between `address` and its chunk's end; each further piece begins at `UMEM.headroom` and fills
/// its chunk, but for the last, which has the rest. `FrameMemory` knows which chunk follows which.
/// So the length of every piece follows from these two numbers.
///
/// The head of a chain begins at `headStartMax` of its chunk at the latest. Whoever moves the start
/// of a frame forward moves it past headers only, which are far shorter than what that leaves.
public struct Frame: BitwiseCopyable, Sendable, Equatable {
  /// Where it starts, in bytes from the start of the worker's memory.
  public var address: UInt32
  /// Its bytes, of all pieces.
  public var length: UInt32

  /// Describes a frame.
  @inlinable
  public init(address: UInt32, length: UInt32) {
    self.address = address
    self.length = length
  }

  /// The longest frame: an IP packet of 65,535 bytes behind an Ethernet header.
  public static var lengthMax: Int { 65_549 }
  /// Pieces at most.
  public static var pieceCountMax: Int { 18 }
  /// Where in its chunk the head of a chain begins at the latest.
  public static var headStartMax: UInt32 { 512 }
  /// The longest frame that is in one piece wherever it starts.
  static var surelyWholeLengthMax: UInt32 { UInt32(UMEM.chunkLength) &- headStartMax }

  /// Whether it is in more than one chunk.
  @inline(__always)
  public var isChained: Bool { length > room }

  /// The bytes from its start to its chunk's end.
  @inline(__always)
  private var room: UInt32 {
    UInt32(UMEM.chunkLength) &- (address & UInt32(UMEM.chunkLength &- 1))
  }

  /// The bytes of its first piece.
  @inline(__always)
  public var headLength: UInt32 { min(length, room) }

  /// The chunks it is in.
  @inline(__always)
  public var pieceCount: Int {
    let behind = Int(length &- headLength)
    return 1 &+ (behind &+ (UMEM.frameLengthMax &- 1)) / UMEM.frameLengthMax
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
  /// Packets of ESP and datagrams of sleeve, which are opened together.
  public var sealedCount = 0
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
    sealedCount = 0
    for row in rows {
      verdicts[row] = .undecided
      origins[row] = origin.bits
    }
  }
}

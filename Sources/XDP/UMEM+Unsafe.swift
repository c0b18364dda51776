// SPDX-License-Identifier: Apache-2.0

internal import CXDP
internal import Glibc
public import Tables

/// Frames' memory, registered with the kernel for AF_XDP sockets to share.
///
/// It is divided into chunks of 4 KiB, one frame or one piece of a frame each. The kernel receives
/// at offset 256 of a chunk, which leaves room for outer headers in front of every frame.
///
/// libxdp makes the first socket out of the registration itself: it shares its descriptor, and it
/// stays bound, whatever is closed, until no socket of the memory is open. Then, and after a first
/// bind that failed, the memory is registered anew, since libxdp cannot use a registration twice.
///
/// Sockets of one UMEM are opened and closed by one thread at a time.
///
/// Proof of safety: libxdp's handle and the two ring records it keeps pointers to live as long as
/// this object; sockets hold a reference to it.
@safe
public final class UMEM: @unchecked Sendable {
  /// Bytes of a chunk.
  public static let chunkLength = 4096
  /// Where in a chunk the kernel puts a received frame (`XDP_PACKET_HEADROOM`).
  public static let headroom = 256
  /// The longest frame that fits a chunk behind the headroom.
  public static let frameLengthMax = chunkLength - headroom
  /// Entries of the fill and completion rings of every socket.
  public static let ringCapacity: UInt32 = 2048

  /// The frames.
  public let memory: MappedMemory
  /// Whether sockets of the memory take and give frames in several pieces, longer than a chunk.
  ///
  /// As with copying, the first socket of a registration decides for all others.
  public let isMultiPiece: Bool
  /// libxdp's registration; nil if registering anew was refused, which the next bind reports.
  private(set) var handle: OpaquePointer?
  private var openSocketCount = 0
  let fill: UnsafeMutablePointer<xsk_ring_prod>
  let completion: UnsafeMutablePointer<xsk_ring_cons>

  /// Registers all of `memory`, whose length is a multiple of the chunk's.
  ///
  /// The same memory may be registered more than once: sockets of a zero-copy interface need a
  /// registration apart from those of the others.
  ///
  /// - `isMultiPiece`: asks for frames in several pieces, which there are from Linux 6.6 on.
  public init(memory: MappedMemory, isMultiPiece: Bool = true) throws(XDPError) {
    self.memory = memory
    self.isMultiPiece = isMultiPiece && UMEM.isMultiPieceKnown
    unsafe fill = .allocate(capacity: 1)
    unsafe fill.initialize(to: xsk_ring_prod())
    unsafe completion = .allocate(capacity: 1)
    unsafe completion.initialize(to: xsk_ring_cons())
    let result = register()
    guard result == 0 else {
      unsafe fill.deallocate()
      unsafe completion.deallocate()
      throw XDPError(call: "registering frame memory", number: -result, subject: "AF_XDP")
    }
  }

  /// Whether the kernel knows frames in several pieces; false also for who may open no sockets.
  public static let isMultiPieceKnown = cxdp_knows_pieces()

  /// Whether the next socket is made out of the registration itself.
  var isUnbound: Bool { openSocketCount == 0 }

  /// A socket was bound.
  func socketOpened() { openSocketCount += 1 }

  /// A socket was closed.
  func socketClosed() {
    openSocketCount -= 1
    renewIfUnbound()
  }

  /// Gives up a registration that has no socket, with the queue it may still be bound to.
  func renewIfUnbound() {
    guard isUnbound else { return }
    unsafe xsk_umem__delete(handle)
    unsafe handle = nil
    _ = register()
  }

  private func register() -> CInt {
    var configuration = xsk_umem_config()
    configuration.fill_size = UMEM.ringCapacity
    configuration.comp_size = UMEM.ringCapacity
    configuration.frame_size = UInt32(UMEM.chunkLength)
    unsafe fill.pointee = xsk_ring_prod()
    unsafe completion.pointee = xsk_ring_cons()
    return unsafe cxdp_register_memory(
      &handle, memory.base, UInt64(memory.length), fill, completion, &configuration)
  }

  deinit {
    unsafe xsk_umem__delete(handle)
    unsafe fill.deallocate()
    unsafe completion.deallocate()
  }
}

/// `strerror` as a Swift string.
func errorText(_ number: CInt) -> String {
  unsafe String(cString: strerror(number))
}

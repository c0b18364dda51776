// SPDX-License-Identifier: Apache-2.0

internal import CXDP
internal import Glibc
internal import Tables

/// An AF_XDP socket bound to one queue of one interface.
///
/// Proof of safety: libxdp's handle and the ring records are ours until `close()`; the rings handed
/// out by `takeRings()` point into mappings that live until then, which is why the holder closes
/// only after the worker has let go of them.
@safe
public final class PacketSocket: @unchecked Sendable {
  /// How a socket is bound.
  public struct Options: Sendable {
    /// The interface, in this thread's network namespace.
    public var interface: String
    /// One of its queues.
    public var queue: UInt32
    /// Entries of RX and of TX, a power of two.
    public var ringCapacity: UInt32
    /// Asks for zero-copy and fails if the driver has none; otherwise copies.
    public var zeroCopy: Bool

    /// Gathers how to bind.
    public init(interface: String, queue: UInt32, ringCapacity: UInt32, zeroCopy: Bool = false) {
      self.interface = interface
      self.queue = queue
      self.ringCapacity = ringCapacity
      self.zeroCopy = zeroCopy
    }
  }

  /// What the kernel counted against a socket (`struct xdp_statistics`).
  public struct Statistics: Equatable, Sendable {
    /// Frames dropped for other reasons than a full ring.
    public var receiveDropped: UInt64 = 0
    /// What the kernel calls invalid descriptors of RX.
    ///
    /// Entries of the fill ring that point outside
    /// the UMEM were measured not to count here but, as if there were none, in `fillRingEmpty` and
    /// `receiveDropped`.
    public var receiveInvalid: UInt64 = 0
    /// Descriptors on the TX ring that pointed outside the UMEM.
    public var transmitInvalid: UInt64 = 0
    /// Frames dropped because RX was full.
    public var receiveRingFull: UInt64 = 0
    /// Times the fill ring had no chunk.
    public var fillRingEmpty: UInt64 = 0
    /// Datagrams that the kernel would not send; of UDP sockets.
    public var transmitRefused: UInt64 = 0

    /// All zeros.
    public init() {}
  }

  /// The socket.
  public let descriptor: CInt
  /// Whether the driver reads and writes the frames in place.
  public let isZeroCopy: Bool
  /// Whether it takes and gives frames in several pieces, longer than a chunk.
  public var isMultiPiece: Bool { umem.isMultiPiece }
  /// The memory its frames are in; held so that it outlives the socket.
  private let umem: UMEM
  private var handle: OpaquePointer?
  private let rings: UnsafeMutablePointer<cxdp_rings>

  /// Opens a socket and binds it.
  ///
  /// The first socket of a UMEM fixes the mode of all others. A bind
  /// that fails leaves the UMEM as it was.
  ///
  /// - Throws: `XDPError`; EOPNOTSUPP when zero-copy was asked for and the driver has none.
  public init(umem: UMEM, options: Options) throws(XDPError) {
    self.umem = umem
    unsafe rings = .allocate(capacity: 1)
    unsafe rings.initialize(to: cxdp_rings())
    var configuration = xsk_socket_config()
    configuration.rx_size = options.ringCapacity
    configuration.tx_size = options.ringCapacity
    configuration.libxdp_flags = UInt32(XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD)
    configuration.bind_flags =
      options.zeroCopy ? UInt16(XDP_ZEROCOPY) : UInt16(XDP_COPY)
    if umem.isMultiPiece { configuration.bind_flags |= UInt16(CXDP_USE_PIECES) }
    var created: OpaquePointer?
    let isFirst = umem.isUnbound
    let result = unsafe cxdp_open_socket(
      &created, options.interface, options.queue, umem.handle, isFirst ? umem.fill : nil,
      isFirst ? umem.completion : nil, rings, &configuration)
    guard result == 0, let created = unsafe created else {
      umem.renewIfUnbound()
      unsafe rings.deallocate()
      throw XDPError(
        call: "binding an AF_XDP socket", number: -result,
        subject: "queue \(options.queue) of \(options.interface)")
    }
    // A second socket of the memory on one queue shares the first one's fill ring and gets none.
    guard unsafe rings.pointee.fill.ring != nil else {
      unsafe xsk_socket__delete(created)
      unsafe rings.deallocate()
      throw XDPError(
        call: "binding an AF_XDP socket", number: EBUSY,
        subject: "queue \(options.queue) of \(options.interface)")
    }
    umem.socketOpened()
    unsafe handle = created
    descriptor = unsafe xsk_socket__fd(created)
    isZeroCopy = cxdp_is_zero_copy(descriptor)
    cxdp_raise_send_limits(descriptor, options.ringCapacity)
  }

  /// Our halves of the rings; taken once.
  public func takeRings() -> SocketRings {
    let fill = unsafe rings.pointee.fill
    let receive = unsafe rings.pointee.receive
    let transmit = unsafe rings.pointee.transmit
    let completion = unsafe rings.pointee.completion
    return unsafe SocketRings(
      fill: ProducerRing(
        entries: fill.ring.assumingMemoryBound(to: UInt64.self), capacity: fill.size,
        producer: fill.producer, consumer: fill.consumer),
      receive: ConsumerRing(
        entries: receive.ring.assumingMemoryBound(to: XDPDescriptor.self), capacity: receive.size,
        producer: receive.producer, consumer: receive.consumer),
      transmit: ProducerRing(
        entries: transmit.ring.assumingMemoryBound(to: XDPDescriptor.self),
        capacity: transmit.size, producer: transmit.producer, consumer: transmit.consumer),
      completion: ConsumerRing(
        entries: completion.ring.assumingMemoryBound(to: UInt64.self), capacity: completion.size,
        producer: completion.producer, consumer: completion.consumer))
  }

  /// What the kernel counted; zeros once closed.
  public func statistics() -> Statistics {
    var counted = xdp_statistics()
    guard unsafe handle != nil, unsafe cxdp_read_statistics(descriptor, &counted) == 0 else {
      return Statistics()
    }
    var statistics = Statistics()
    statistics.receiveDropped = counted.rx_dropped
    statistics.receiveInvalid = counted.rx_invalid_descs
    statistics.transmitInvalid = counted.tx_invalid_descs
    statistics.receiveRingFull = counted.rx_ring_full
    statistics.fillRingEmpty = counted.rx_fill_ring_empty_descs
    return statistics
  }

  /// Closes the socket.
  ///
  /// The rings become invalid; frames the kernel had are the UMEM owner's again.
  ///
  /// The kernel frees the queue, and the place in a program's map, a moment later. The first socket
  /// of a UMEM is an exception: it keeps both, and frames for it are lost, until the last socket of
  /// the UMEM closes. Take it out of the program first.
  public func close() {
    guard let open = unsafe handle else { return }
    unsafe xsk_socket__delete(open)
    unsafe handle = nil
    umem.socketClosed()
  }

  deinit {
    close()
    unsafe rings.deallocate()
  }
}

extension PacketSocket.Statistics {
  /// Adds another socket's counters.
  public mutating func add(_ other: PacketSocket.Statistics) {
    receiveDropped += other.receiveDropped
    receiveInvalid += other.receiveInvalid
    transmitInvalid += other.transmitInvalid
    receiveRingFull += other.receiveRingFull
    fillRingEmpty += other.fillRingEmpty
    transmitRefused += other.transmitRefused
  }
}

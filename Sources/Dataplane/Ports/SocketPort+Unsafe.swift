// SPDX-License-Identifier: Apache-2.0

internal import CLinux
public import Forwarding
internal import Glibc
public import Inet
public import Tables
public import Telemetry
internal import XDP

/// One worker's part of a port whose frames travel through the kernel's UDP sockets.
///
/// The worker sees a `PortQueue` like any other, whose frames are whole outer packets. Behind its
/// rings a `SocketCarrier` plays the kernel, within the worker's own breath: it puts headers in
/// front of what it receives, and takes them off what it sends. Here is its owner's side: sockets
/// are opened and closed while no worker serves the queue.
///
/// Proof of safety: `carrier` and what it points to live as long as this object, which whoever
/// fills a slot with its queue holds on to until the slot was emptied. The worker has all of it to
/// itself while it serves the slot, and the owner while it does not, but for what both only read.
@safe
public final class SocketPort: @unchecked Sendable {
  /// What a part of a port is.
  public struct Options: Sendable {
    /// The index everybody knows the port by.
    public var port: PortIndex
    /// Where its sockets are bound; 0.0.0.0 is any address.
    public var address: IPv4Address
    /// Whether the kernel is to join what it receives and to cut what it sends, if it can.
    public var hasSegmentation = true
    /// Entries of each ring, a power of two.
    public var ringCapacity: UInt32 = 2048

    /// Gathers what a part of a port is.
    public init(port: PortIndex, address: IPv4Address) {
      self.port = port
      self.address = address
    }
  }

  /// UDP ports at most.
  public static let udpPortCountMax = 32
  /// Chunks on the fill ring to begin with: what a breath takes, and then the longest datagram.
  static let fillTarget: UInt32 = 128
  /// Bytes that may wait in a socket in either direction.
  private static let waitingLength: UInt32 = 4 << 20

  /// What the port is.
  public let options: Options
  /// By place: the socket, as its owner may look at it at any time; negative if there is none.
  private var descriptors: [CInt]
  /// By place: the UDP port it is bound to.
  private var boundPorts: [UInt16]
  private let carrier: UnsafeMutablePointer<SocketCarrier>
  private let poller: CInt
  private let counters: CounterBlock
  private let rings: MemoryRings
  private let buffers: MappedMemory
  private let frames: MappedMemory
  private let words: UnsafeMutablePointer<UInt64>
  /// What the kernel dropped of sockets that were closed.
  private var droppedBefore: UInt64 = 0
  private var isClosed = false

  /// Maps what a part of a port without sockets needs; `frames` is the memory of its worker.
  public init(_ options: Options, frames: MappedMemory) throws(MemoryError) {
    self.options = options
    self.frames = frames
    rings = try MemoryRings(capacity: options.ringCapacity)
    buffers = try MappedMemory(length: SocketInbox.length, name: "weft-datagrams")
    poller = clinux_poller()
    guard poller >= 0 else { throw MemoryError(call: "epoll_create1", number: -poller) }
    descriptors = Array(repeating: -1, count: SocketPort.udpPortCountMax)
    boundPorts = Array(repeating: 0, count: SocketPort.udpPortCountMax)
    let wordCount = CounterBlock.wordCount(for: SocketCounter.allCases.count)
    unsafe words = .allocate(capacity: wordCount)
    unsafe words.initialize(repeating: 0, count: wordCount)
    counters = unsafe CounterBlock(words: words, count: SocketCounter.allCases.count)
    unsafe carrier = .allocate(capacity: 1)
    unsafe carrier.initialize(
      to: SocketCarrier(
        rings: rings.kernelHalf(), frames: frames.base, framesLength: frames.length,
        buffers: buffers.base, counters: counters))
  }

  deinit {
    close()
    unsafe carrier.deinitialize(count: 1)
    unsafe carrier.deallocate()
    unsafe words.deallocate()
  }

  /// The queue as the worker shall see it; taken once.
  ///
  /// The object must outlive it.
  public func queue(
    frameLengthMax: Int, fillTarget: UInt32, counters: CounterBlock
  ) -> PortQueue {
    let backing = unsafe SocketBacking(carrier: carrier, descriptor: poller)
    return PortQueue(
      PortQueue.Options(
        port: options.port, kind: .underlay, backing: .datagrams(backing),
        frameLengthMax: frameLengthMax, fillTarget: fillTarget),
      rings: rings.socketHalf(), counters: counters)
  }

  /// The UDP ports with a socket; the first is the one for sending what has another source port.
  public var udpPorts: [UInt16] {
    descriptors.indices.compactMap { descriptors[$0] >= 0 ? boundPorts[$0] : nil }
  }

  /// Binds a socket to a UDP port; nothing is done if there is one already.
  ///
  /// To be called while no worker serves the queue.
  public func open(_ udpPort: UInt16) throws(DataplaneError) {
    guard !udpPorts.contains(udpPort) else { return }
    guard let place = unsafe carrier.pointee.sockets.freePlace else {
      throw .tooManyUDPPorts(limit: SocketPort.udpPortCountMax)
    }
    let descriptor = try SocketPort.bind(udpPort, options, isShared: true)
    let watched = clinux_poller_add(poller, descriptor, 0)
    guard watched == 0 else {
      _ = Glibc.close(descriptor)
      throw .datagramSocket(address: options.address, udpPort: udpPort, number: -watched)
    }
    let isCut = options.hasSegmentation && clinux_cuts_datagrams(descriptor)
    unsafe carrier.pointee.sockets.set(
      UDPSocket(descriptor: descriptor, udpPort: udpPort, hasSegmentation: isCut), at: place)
    descriptors[place] = descriptor
    boundPorts[place] = udpPort
  }

  /// Closes the socket of a UDP port, if there is one and it is not the first.
  ///
  /// To be called while no worker serves the queue.
  public func close(_ udpPort: UInt16) {
    guard udpPort != udpPorts.first else { return }
    for place in descriptors.indices where boundPorts[place] == udpPort { closeSocket(at: place) }
  }

  /// Closes all sockets.
  ///
  /// To be called while no worker serves the queue, and never will.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    for place in descriptors.indices { closeSocket(at: place) }
    if poller >= 0 { Glibc.close(poller) }
  }

  /// Datagrams that were lost, by why: those that the kernel dropped, or for which there were no
  /// chunks; those that the kernel would not send.
  public func losses() -> (receiveDropped: UInt64, transmitRefused: UInt64) {
    var dropped = droppedBefore + counters.value(at: SocketCounter.receiveDropped.rawValue)
    for descriptor in descriptors { dropped += SocketPort.dropped(by: descriptor) }
    return (dropped, counters.value(at: SocketCounter.transmitRefused.rawValue))
  }

  /// Throws if somebody else has the UDP port.
  ///
  /// Sockets of one user may share a port without any of them knowing. So one is bound that shares
  /// with none, and closed again; who binds the port in between is not noticed.
  public static func requireFree(
    _ udpPort: UInt16, _ address: IPv4Address
  ) throws(DataplaneError) {
    let options = Options(port: PortIndex(0), address: address)
    Glibc.close(try bind(udpPort, options, isShared: false))
  }

  private static func bind(
    _ udpPort: UInt16, _ options: Options, isShared: Bool
  ) throws(DataplaneError) -> CInt {
    var wanted = clinux_datagram_options(
      address: options.address.bits, port: udpPort, is_shared: isShared,
      is_joined: options.hasSegmentation, buffer_length: waitingLength)
    let descriptor = unsafe clinux_open_datagrams(&wanted)
    guard descriptor >= 0 else {
      throw .datagramSocket(address: options.address, udpPort: udpPort, number: -descriptor)
    }
    return descriptor
  }

  private func closeSocket(at place: Int) {
    guard descriptors[place] >= 0 else { return }
    droppedBefore += SocketPort.dropped(by: descriptors[place])
    Glibc.close(descriptors[place])
    descriptors[place] = -1
    unsafe carrier.pointee.sockets.set(UDPSocket.none, at: place)
  }

  /// What the kernel dropped on its way to a socket.
  private static func dropped(by descriptor: CInt) -> UInt64 {
    var count: UInt32 = 0
    guard descriptor >= 0, unsafe clinux_dropped_datagrams(descriptor, &count) == 0 else {
      return 0
    }
    return UInt64(count)
  }
}

/// What a worker's part of a port of sockets counts besides what every port does.
enum SocketCounter: Int, CaseIterable {
  /// Datagrams for which there were no chunks for long, or that were longer than any is.
  case receiveDropped
  /// Datagrams that the kernel would not send.
  case transmitRefused
}

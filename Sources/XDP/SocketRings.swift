// SPDX-License-Identifier: Apache-2.0

public import Tables

/// An entry of an RX or TX ring; the layout is the kernel's `struct xdp_desc`.
public struct XDPDescriptor: BitwiseCopyable, Sendable, Equatable {
  /// Where the frame starts, in bytes from the start of the UMEM.
  public var address: UInt64
  /// Bytes of the frame.
  public var length: UInt32
  /// Flags; 0 for a frame in one piece and for the last of several.
  public var options: UInt32

  /// In `options`: the frame goes on with the next descriptor (`XDP_PKT_CONTD`, Linux 6.6).
  public static var continued: UInt32 { 1 }

  /// Describes a frame in one piece, or a piece of one, which may go on with the next descriptor.
  @inlinable
  public init(address: UInt64, length: UInt32, isContinued: Bool = false) {
    self.address = address
    self.length = length
    options = isContinued ? XDPDescriptor.continued : 0
  }
}

/// Our halves of the four rings of a socket.
public struct SocketRings: ~Copyable {
  /// Free chunks for the kernel to receive into.
  public var fill: ProducerRing<UInt64>
  /// Received frames.
  public var receive: ConsumerRing<XDPDescriptor>
  /// Frames to send.
  public var transmit: ProducerRing<XDPDescriptor>
  /// Chunks of frames that have been sent.
  public var completion: ConsumerRing<UInt64>

  /// Puts four halves together.
  public init(
    fill: consuming ProducerRing<UInt64>, receive: consuming ConsumerRing<XDPDescriptor>,
    transmit: consuming ProducerRing<XDPDescriptor>, completion: consuming ConsumerRing<UInt64>
  ) {
    self.fill = fill
    self.receive = receive
    self.transmit = transmit
    self.completion = completion
  }
}

/// The kernel's halves of the four rings, for whoever plays it.
public struct KernelRings: ~Copyable {
  /// Free chunks to receive into.
  public var fill: ConsumerRing<UInt64>
  /// Frames for the port.
  public var receive: ProducerRing<XDPDescriptor>
  /// Frames the port sends.
  public var transmit: ConsumerRing<XDPDescriptor>
  /// Chunks of frames that have been sent.
  public var completion: ProducerRing<UInt64>
}

/// Four rings in memory of our own: a port without a kernel.
public final class MemoryRings: Sendable {
  private let fill: RingMemory<UInt64>
  private let receive: RingMemory<XDPDescriptor>
  private let transmit: RingMemory<XDPDescriptor>
  private let completion: RingMemory<UInt64>

  /// Maps four rings of `capacity` entries each, a power of two.
  public init(capacity: UInt32) throws(MemoryError) {
    fill = try RingMemory(capacity: capacity, name: "weft-fill")
    receive = try RingMemory(capacity: capacity, name: "weft-rx")
    transmit = try RingMemory(capacity: capacity, name: "weft-tx")
    completion = try RingMemory(capacity: capacity, name: "weft-completion")
  }

  /// The port's side; taken once.
  ///
  /// The object must outlive it.
  public func socketHalf() -> SocketRings {
    SocketRings(
      fill: fill.producerHalf(), receive: receive.consumerHalf(),
      transmit: transmit.producerHalf(), completion: completion.consumerHalf())
  }

  /// The kernel's side; taken once.
  ///
  /// The object must outlive it.
  public func kernelHalf() -> KernelRings {
    KernelRings(
      fill: fill.consumerHalf(), receive: receive.producerHalf(),
      transmit: transmit.consumerHalf(), completion: completion.producerHalf())
  }
}

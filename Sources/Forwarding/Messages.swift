// SPDX-License-Identifier: Apache-2.0

public import Inet

/// A worker's report that a station was seen somewhere the snapshot does not say it is.
///
/// Hints may be lost when their ring is full; the station's next frame brings another.
public struct Hint: BitwiseCopyable, Sendable, Equatable {
  /// The station's MAC address, as `MACAddress.bits`.
  public let mac: UInt64
  /// Where it was seen.
  public let location: Location
  /// Not used; keeps the record at 16 bytes.
  private let reserved: UInt32

  /// Reports `mac` at `location`.
  @inlinable
  public init(mac: UInt64, location: Location) {
    self.init(mac: mac, location: location, reserved: 0)
  }

  @usableFromInline
  init(mac: UInt64, location: Location, reserved: UInt32) {
    self.mac = mac
    self.location = location
    self.reserved = reserved
  }
}

/// A frame from a neighbour that is for the control plane, as a worker reports it: what the two
/// ends of an overlay say to each other in place of a container's frame.
///
/// It was between the neighbour itself and us, and opened if the link is sealed. Reports may be
/// lost when their ring is full, as datagrams may.
public struct ControlFrame: BitwiseCopyable, Sendable, Equatable {
  /// What it says.
  public enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// The path works.
    case heartbeat
    /// The underlay carries fragments.
    case fragmentationTest
    /// A fragmentation test with something else than zeros in it.
    case damagedFragmentationTest
    /// The underlay carries frames of this length.
    case lengthTest
  }

  /// Who sent it (`PeerName.bits`).
  public let name: UInt64
  /// The connection that a heartbeat is of; 0 of others.
  public let connectionUID: UInt64
  /// The outer source address (`IPv4Address.bits`).
  public let sourceAddress: UInt32
  /// Bytes of the frame.
  public let frameLength: UInt32
  /// The outer source port.
  public let sourcePort: UInt16
  /// Bytes that a heartbeat of VXLAN says it has; 0 of others.
  public let announcedLength: UInt16
  /// What it says.
  public let kind: Kind
  /// Which overlay it came by.
  public let overlay: Overlay
  private let reserved: UInt16

  /// Describes a frame.
  public init(
    name: PeerName, overlay: Overlay, kind: Kind, source: SocketAddress, frameLength: Int,
    announcedLength: UInt16 = 0, connectionUID: UInt64 = 0
  ) {
    self.name = name.bits
    self.connectionUID = connectionUID
    sourceAddress = source.address.bits
    self.frameLength = UInt32(truncatingIfNeeded: frameLength)
    sourcePort = source.port
    self.announcedLength = announcedLength
    self.kind = kind
    self.overlay = overlay
    reserved = 0
  }
}

/// A frame that the control plane wants sent over a link to a neighbour.
///
/// Its Ethernet header is all zero, and the rest is zero but for what a heartbeat says.
public struct ControlOrder: BitwiseCopyable, Sendable, Equatable {
  /// To whom (`PeerName.bits`).
  public let name: UInt64
  /// The connection that a heartbeat is of; 0 of others.
  public let connectionUID: UInt64
  /// Bytes of the frame with its Ethernet header, 14 to 65,535.
  public let frameLength: UInt32
  /// By which overlay.
  public let overlay: Overlay
  /// Whether it is a heartbeat; otherwise all bytes are zero.
  public let isHeartbeat: Bool
  /// Whether the underlay may fragment it.
  public let isFragmentable: Bool
  private let reserved: UInt8

  /// Describes a frame to be sent.
  public init(
    name: PeerName, overlay: Overlay, frameLength: Int, connectionUID: UInt64? = nil,
    isFragmentable: Bool = false
  ) {
    self.name = name.bits
    self.connectionUID = connectionUID ?? 0
    self.frameLength = UInt32(clamping: frameLength)
    self.overlay = overlay
    isHeartbeat = connectionUID != nil
    self.isFragmentable = isFragmentable
    reserved = 0
  }
}

/// What is asked of a worker; carried out at the start of a breath, in order.
public struct WorkerCommand: BitwiseCopyable, Sendable, Equatable {
  /// What to do.
  public enum Kind: UInt16, BitwiseCopyable, Sendable {
    /// The slot was filled with a port's queue: serve it from now on.
    case startQueue
    /// Neither receive from nor send to the queue any more.
    case stopQueue
    /// The queue's socket is closed: take back every frame the kernel had.
    case reclaimQueue
    /// The worker has no queue at the port: another one, number `slot`, carries what goes there.
    case startHandingOver
    /// Nobody carries the port's frames for this worker any more.
    case stopHandingOver
    /// The slot's fault settings were written: put them into force.
    case setFaults
    /// A trace was ordered: record the frames it asks for.
    case startTrace
    /// Record none any more.
    case stopTrace
    /// Leave the loop.
    case stop
  }

  /// What to do.
  public let kind: Kind
  /// The slot of the worker's port table it is about; 0 if it is about none.
  public let slot: UInt16
  /// The port it is about, where that is not known by the slot.
  public let port: PortIndex

  /// Asks for `kind`, about `slot` or `port`.
  public init(_ kind: Kind, slot: UInt16 = 0, port: PortIndex = PortIndex(0)) {
    self.kind = kind
    self.slot = slot
    self.port = port
  }
}

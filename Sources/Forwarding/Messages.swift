// SPDX-License-Identifier: Apache-2.0

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

// SPDX-License-Identifier: Apache-2.0

public import Inet

/// How it is decided in which mode a port's program runs, where `PortSpecification.attach` leaves
/// that open.
public enum ModeSource: Sendable {
  /// Native, and generic if the driver refuses; nothing is tested.
  case driver
  /// The mode of the program that is there, or as `driver`: nothing may be tested, since others'
  /// frames may be under way.
  case present
  /// Test frames decide: a mode that does not carry them is not used.
  case tested(SelfTest)
}

/// Test frames from the other end of a station's pair.
///
/// The engine lets go of it, and of what it holds open, when the port is opened or was refused.
public struct SelfTest: Sendable {
  /// The sending end's own hardware address.
  public var source: MACAddress
  /// The hardware address of the port's end.
  public var destination: MACAddress
  /// The longest frame to try, in bytes with the Ethernet header.
  public var frameLengthMax: Int
  /// What tells this test's frames from all others.
  public var cookie: UInt64
  /// Brings both ends up where they are down.
  public var begin: @Sendable () throws(SelfTestTrouble) -> Void
  /// Sends frames of equal length, which lie one after the other, out of the other end.
  public var send: @Sendable (_ frames: [UInt8], _ length: Int) throws(SelfTestTrouble) -> SentBurst
  /// Undoes what `begin` did.
  public var end: @Sendable () -> Void

  /// Gathers what a test needs.
  public init(
    source: MACAddress, destination: MACAddress, frameLengthMax: Int, cookie: UInt64,
    begin: @escaping @Sendable () throws(SelfTestTrouble) -> Void,
    send: @escaping @Sendable ([UInt8], Int) throws(SelfTestTrouble) -> SentBurst,
    end: @escaping @Sendable () -> Void
  ) {
    self.source = source
    self.destination = destination
    self.frameLengthMax = frameLengthMax
    self.cookie = cookie
    self.begin = begin
    self.send = send
    self.end = end
  }
}

/// What became of the frames handed over for sending.
public struct SentBurst: Sendable, Equatable {
  /// Those that were sent.
  public var count: Int
  /// How long the call took.
  public var nanoseconds: UInt64

  /// Describes a burst.
  public init(count: Int, nanoseconds: UInt64) {
    self.count = count
    self.nanoseconds = nanoseconds
  }
}

/// Test frames could not be sent at all; the text says why.
public struct SelfTestTrouble: Error, Equatable, Sendable {
  /// A sentence.
  public let text: String

  /// Takes the sentence over.
  public init(_ text: String) { self.text = text }
}

// SPDX-License-Identifier: Apache-2.0

public import Forwarding

/// What becomes of a frame.
///
/// A stage writes it, the worker carries it out. One word, so that a question about it is one
/// comparison; a frame meets a dozen of them. Where it goes is kept as the location's own word, and
/// the other verdicts are bits that no location has.
public struct Verdict: BitwiseCopyable, Sendable, Equatable {
  let bits: UInt32

  @inline(__always)
  private init(bits: UInt32) { self.bits = bits }

  private static var undecidedBit: UInt32 { 1 << 30 }
  private static var floodBit: UInt32 { 1 << 29 }
  private static var dropBit: UInt32 { 1 << 28 }
  private static var relayBit: UInt32 { 1 << 27 }
  private static var packBit: UInt32 { 1 << 26 }
  private static var unpackBit: UInt32 { 1 << 25 }
  private static var tooLongBit: UInt32 { 1 << 24 }

  /// Go on to the next stage.
  public static var undecided: Verdict {
    @inline(__always) get { Verdict(bits: undecidedBit) }
  }

  /// To everybody but where it came from.
  public static var flood: Verdict {
    @inline(__always) get { Verdict(bits: floodBit) }
  }

  /// To one station.
  @inline(__always)
  public static func forward(_ location: Location) -> Verdict { Verdict(bits: location.bits) }

  /// To another peer of the mesh, as it came.
  @inline(__always)
  public static func relay(_ peer: EndpointIndex) -> Verdict {
    Verdict(bits: relayBit | UInt32(peer.number))
  }

  /// To an endpoint, by the packer: as a record in a datagram of sleeve, or sealed.
  @inline(__always)
  public static func pack(_ endpoint: EndpointIndex) -> Verdict {
    Verdict(bits: packBit | UInt32(endpoint.number))
  }

  /// A datagram of sleeve whose records are to be taken out.
  public static var unpack: Verdict {
    @inline(__always) get { Verdict(bits: unpackBit) }
  }

  /// A packet of ESP that is to be opened.
  public static var decrypt: Verdict {
    @inline(__always) get { Verdict(bits: unpackBit | 1) }
  }

  /// To an endpoint, but it does not fit what carries frames there in one piece.
  @inline(__always)
  public static func tooLong(_ endpoint: EndpointIndex) -> Verdict {
    Verdict(bits: tooLongBit | UInt32(endpoint.number))
  }

  /// Nowhere.
  @inline(__always)
  public static func drop(_ reason: DropReason) -> Verdict {
    Verdict(bits: dropBit | UInt32(reason.rawValue))
  }

  /// Where to, if it goes to one station.
  @inline(__always)
  public var location: Location? {
    bits & Verdict.othersMask == 0 ? Location(bits: bits) : nil
  }

  /// Bits that no location has.
  private static var othersMask: UInt32 { 0x7F00_0000 }

  /// Which endpoint it goes to by the packer, if it does.
  @inline(__always)
  public var packEndpoint: EndpointIndex? {
    bits & Verdict.packBit != 0 ? EndpointIndex(UInt16(truncatingIfNeeded: bits)) : nil
  }

  /// Which endpoint it does not fit the way to, if so.
  @inline(__always)
  public var tooLongEndpoint: EndpointIndex? {
    bits & Verdict.tooLongBit != 0 ? EndpointIndex(UInt16(truncatingIfNeeded: bits)) : nil
  }

  /// Which peer it is relayed to, if it is.
  @inline(__always)
  public var relayed: EndpointIndex? {
    bits & Verdict.relayBit != 0 ? EndpointIndex(UInt16(truncatingIfNeeded: bits)) : nil
  }

  /// Why nowhere, if it is dropped.
  @inline(__always)
  public var dropReason: DropReason? {
    isAlive ? nil : DropReason(rawValue: UInt8(truncatingIfNeeded: bits))
  }

  /// Whether the frame is still on its way.
  @inline(__always)
  var isAlive: Bool { bits & Verdict.dropBit == 0 }

  /// Whether its addresses are looked at: it is neither dropped, nor decided without them.
  @inline(__always)
  var isByAddress: Bool { bits & (Verdict.undecidedBit | Verdict.floodBit) != 0 }

  /// Whether it goes to one station, behind an endpoint.
  @inline(__always)
  var isForEndpoint: Bool { Location(bits: bits).isEndpoint }

  /// Whether it goes through one port as it is.
  @inline(__always)
  var isForPort: Bool { bits <= UInt16.max }
}

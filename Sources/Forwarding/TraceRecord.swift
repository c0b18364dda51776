// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Which frames a trace is about; what is nil is not looked at.
public struct TraceFilter: BitwiseCopyable, Sendable, Equatable {
  /// The port a frame comes in at.
  public var port: PortIndex?
  /// A station that a frame comes from or goes to; of frames in VXLAN, those inside.
  public var mac: MACAddress?

  /// Names what is looked at; nothing means every frame.
  public init(port: PortIndex? = nil, mac: MACAddress? = nil) {
    self.port = port
    self.mac = mac
  }
}

/// The steps of a frame's way, in order; each of them may end it.
public enum TraceStage: UInt8, CaseIterable, BitwiseCopyable, Sendable {
  /// Take outer headers off.
  case open
  /// Read both addresses.
  case parse
  /// Compare where the sender is with where the snapshot says it is.
  case learn
  /// Find the receiver.
  case lookUp
  /// Put outer headers in front.
  case encapsulate
  /// Put it on TX rings, or give it up.
  case end
}

/// What one frame met on its way through a worker.
///
/// Fixed in size, 192 bytes, so that workers can report it through a ring: the words first, then
/// what fits bytes, then the frame's beginning. A field that belongs to a stage the frame did not
/// reach has its first value.
public struct TraceRecord: BitwiseCopyable, Sendable {
  /// What the snapshot knew of the sender.
  public enum Acquaintance: UInt8, BitwiseCopyable, Sendable {
    /// The frame did not get there.
    case notAsked
    /// It is where the frame came from.
    case inPlace
    /// Nothing; the control plane gets a hint.
    case unknown
    /// It is somewhere else, at `home`; the control plane gets a hint.
    case elsewhere
  }

  /// What the look-up found.
  public enum Finding: UInt8, BitwiseCopyable, Sendable {
    /// The frame did not get there.
    case notAsked
    /// A station, at `destination`.
    case station
    /// The destination is a group: the frame is flooded.
    case group
    /// Nothing: the frame is flooded.
    case unknown
    /// The frame is for another peer, at `destination`, to whom it is relayed.
    case relay
  }

  /// Bytes of the frame a record has room for.
  public static var byteCountMax: Int { 128 }

  /// When the worker drew the frame, by the clock of `WorkerCounter.busyTicks`.
  public var ticks: UInt64 = 0
  /// Bytes of the frame as received, outer headers included.
  public var receivedLength: UInt32 = 0
  /// Where the frame that stations see begins, in bytes from the start of what was received.
  public var innerOffset: UInt32 = 0
  /// Its length.
  public var innerLength: UInt32 = 0
  /// Bytes of the frame as it leaves, outer headers included; of a flood, without them.
  public var sentLength: UInt32 = 0
  /// Where the sender is, by the way the frame came.
  public var origin = Location(bits: 0)
  /// Where the snapshot says the sender is, if `acquaintance` is `elsewhere`.
  public var home = Location(bits: 0)
  /// Where the receiver is, if `finding` is `station` or `relay`.
  public var destination = Location(bits: 0)
  /// Receivers: 1, or of a flood as many as there are.
  public var receiverCount: UInt32 = 0
  /// Frames that went on TX rings.
  public var sentCount: UInt32 = 0
  /// The worker.
  public var worker: UInt16 = 0
  /// The port the frame came in at.
  public var port = PortIndex(0)
  /// The port it leaves by; not of a flood.
  public var exit = PortIndex(0)
  /// Whether it came in with outer headers.
  public var isUnderlay = false
  /// What the snapshot knew of the sender.
  public var acquaintance = Acquaintance.notAsked
  /// What the look-up found.
  public var finding = Finding.notAsked
  /// Whether outer headers were put in front of it, or were to be.
  public var isForEndpoint = false
  /// Why it, or the first of its copies that was lost, ended; nil if all were sent.
  public var drop: DropReason?
  /// Which step ended it, if `drop` is there.
  public var dropStage = TraceStage.open
  /// How many of `bytes` are the frame's.
  public var byteCount: UInt8 = 0
  /// The frame's beginning as received.
  public var bytes = [128 of UInt8](repeating: 0)

  /// A record of nothing.
  public init() {}

  /// Whether it goes to everybody.
  public var isFlood: Bool { finding == .group || finding == .unknown }
}

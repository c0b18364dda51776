// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Sealing

/// What an overlay wants done.
public enum OverlayEffect: Sendable, Equatable {
  /// Send a datagram from the mesh's UDP port.
  case datagram([UInt8], to: SocketAddress, isFragmentable: Bool)
  /// Send an overlay control message: index, sub-tag, data.
  case control([UInt8])
  /// An overlay works: the connection is established. Once.
  case established
  /// No overlay is left: close the connection.
  case failed(String)
}

/// All overlays of one connection, side by side; the best one that works carries frames (wire
/// notes, sections 12 and 13).
public struct OverlaySwitch: Sendable {
  /// A connection as overlays need it.
  public struct Options: Sendable {
    /// Our name.
    public var own: PeerName
    /// The other end's.
    public var remote: PeerName
    /// The connection's number, the same at both ends.
    public var connectionUID: UInt64
    /// Whether we dialled.
    public var isOutbound: Bool
    /// The TCP address of the other end.
    public var remoteAddress: SocketAddress
    /// The TCP address of ours.
    public var localAddress: SocketAddress
    /// Encrypts; nil: nothing is.
    public var key: SessionKey?
    /// What the underlay carries in one piece, in bytes with all headers.
    public var underlayMTU: Int
    /// Whether the other end, too, sends heartbeats every 3 s, so that its death shows soon.
    public var isLively = false

    /// Describes a connection.
    public init(
      own: PeerName, remote: PeerName, connectionUID: UInt64, isOutbound: Bool,
      remoteAddress: SocketAddress, localAddress: SocketAddress, key: SessionKey?,
      underlayMTU: Int
    ) {
      self.own = own
      self.remote = remote
      self.connectionUID = connectionUID
      self.isOutbound = isOutbound
      self.remoteAddress = remoteAddress
      self.localAddress = localAddress
      self.key = key
      self.underlayMTU = underlayMTU
    }
  }

  /// Counts of what could not be used, by reason.
  public struct Counts: Sendable, Equatable {
    /// Datagrams that did not open.
    public var notAuthentic: UInt64 = 0
    /// Datagrams that were opened before.
    public var replayed: UInt64 = 0
    /// Datagrams that are too short or end within a record, and tests with other bytes than zeros.
    public var malformed: UInt64 = 0
    /// Frames of containers, each by itself, which this overlay does not carry yet.
    public var dataFrames: UInt64 = 0
    /// Heartbeats and tests between other peers than the two of the connection, and heartbeats of
    /// another connection.
    public var foreignSpecials: UInt64 = 0
    /// Control messages with an index or sub-tag that nobody has.
    public var badControls: UInt64 = 0

    /// Nothing happened.
    public init() {}
  }

  /// Names we advertise, best first.
  public static let advertised = ["sleeve"]

  // The only one so far. Its number in control messages is its place among those that both ends
  // speak, in our order: a Weave peer must never see a number beyond that.
  private var sleeve: SleeveLink

  /// Whether an overlay works.
  public var isEstablished: Bool { sleeve.isEstablished }
  /// The name of the best overlay, "sleeve".
  public var name: String { "sleeve" }
  /// Whether frames to the other end have to be encrypted.
  public var isEncrypted: Bool { sleeve.isEncrypted }
  /// What `status connections` shows: `name`, `mtu`, `encrypted` if so.
  public var attributes: [String: String] { sleeve.attributes }
  /// Where the overlay's datagrams go; nil until it is known.
  public var remoteAddress: SocketAddress? { sleeve.remoteAddress }
  /// Counts.
  public var counts: Counts { sleeve.counts }
  /// When `advance` is due; nil: never.
  public var nextDeadline: MeshInstant? { sleeve.nextDeadline }

  /// Chooses the overlays that both ends speak; nil in `remoteOverlays` means an old peer, which
  /// speaks sleeve without an index and is refused.
  ///
  /// - Throws: `OverlayError` if there is none.
  public init(_ options: Options, remoteOverlays: [String]?) throws(OverlayError) {
    guard let remoteOverlays else { throw .notAdvertised }
    let ours = OverlaySwitch.advertised
    let common = ours.filter(remoteOverlays.contains)
    guard let index = common.firstIndex(of: "sleeve") else {
      throw .nothingInCommon(ours: ours, theirs: remoteOverlays)
    }
    sleeve = SleeveLink(options, index: UInt8(clamping: index))
  }

  /// The connection is part of the topology: datagrams may be sent from now on.
  public mutating func confirm(now: MeshInstant) -> [OverlayEffect] { sleeve.confirm(now: now) }

  /// Takes a datagram that names the remote as its sender, bytes from the sender's name on.
  public mutating func receive(
    _ datagram: [UInt8], from address: SocketAddress, now: MeshInstant
  ) -> [OverlayEffect] {
    sleeve.receive(datagram, from: address, now: now)
  }

  /// Takes the payload of an overlay control message; what is wrong is counted.
  public mutating func receiveControl(_ payload: [UInt8], now: MeshInstant) -> [OverlayEffect] {
    guard payload.count >= 2, payload[0] == sleeve.index,
      let effects = sleeve.receiveControl(payload[1], now: now)
    else {
      sleeve.counts.badControls += 1
      return []
    }
    return effects
  }

  /// Time has come.
  public mutating func advance(now: MeshInstant) -> [OverlayEffect] { sleeve.advance(now: now) }
}

// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Sealing

extension OverlaySwitch {
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
    /// The port of our mesh.
    public var port: UInt16 = 6783
    /// Encrypts; nil: nothing is.
    public var key: SessionKey?
    /// How; nil: by secretbox in sleeve, and VXLAN is not used.
    public var terms: SealingTerms?
    /// What the underlay carries in one piece, in bytes with all headers.
    public var underlayMTU: Int
    /// Bytes of an IP packet of our containers.
    public var overlayMTU = 1376
    /// Whether both ends send heartbeats every 2 s, so that a death shows soon.
    public var isLively = false
    /// Whether both ends have short numbers, which VXLAN calls them by.
    public var hasShortIDs = true

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
    /// Special frames that make no sense: tests with other bytes than zeros, heartbeats that are
    /// not as long as they say.
    public var malformed: UInt64 = 0
    /// Heartbeats of another connection.
    public var foreignSpecials: UInt64 = 0
    /// Control messages with an index or sub-tag that nobody has.
    public var badControls: UInt64 = 0
    /// Tests that were not answered, as there were too many.
    public var unansweredTests: UInt64 = 0
    /// Heartbeats from an address that was not followed, as it had just changed.
    public var unfollowedAddresses: UInt64 = 0

    /// Nothing happened.
    public init() {}
  }
}

extension OverlaySwitch.Counts {
  /// Adds what another one counted.
  mutating func add(_ other: Self) {
    malformed &+= other.malformed
    foreignSpecials &+= other.foreignSpecials
    badControls &+= other.badControls
    unansweredTests &+= other.unansweredTests
    unfollowedAddresses &+= other.unfollowedAddresses
  }
}

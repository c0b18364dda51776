// SPDX-License-Identifier: Apache-2.0

public import Inet

/// An overlay, as both ends call it.
public enum OverlayKind: String, Sendable, Hashable, CaseIterable {
  /// VXLAN.
  case fastdp
  /// UDP datagrams at the mesh's own port, which may be sealed.
  case sleeve
}

/// What came from a neighbour in place of a container's frame: its Ethernet header is all zero.
public struct OverlaySpecial: Sendable, Equatable {
  /// What it says.
  public enum Content: Sendable, Equatable {
    /// The path works; by VXLAN it also says how long it is, by sleeve `announcedLength` is 0.
    case heartbeat(connectionUID: UInt64, announcedLength: Int)
    /// The underlay carries fragments.
    case fragmentationTest
    /// A fragmentation test with something else than zeros in it.
    case damagedFragmentationTest
    /// The underlay carries frames of this length.
    case lengthTest
  }

  /// How it came.
  public var overlay: OverlayKind
  /// From whom.
  public var peer: PeerName
  /// What its outer headers call the sender.
  public var source: SocketAddress
  /// Bytes of the inner frame with its Ethernet header.
  public var frameLength: Int
  /// What it says.
  public var content: Content

  /// Describes what came.
  public init(
    overlay: OverlayKind, peer: PeerName, source: SocketAddress, frameLength: Int, content: Content
  ) {
    self.overlay = overlay
    self.peer = peer
    self.source = source
    self.frameLength = frameLength
    self.content = content
  }
}

/// A frame to be sent over a link in place of a container's.
public struct OverlayProbe: Sendable, Equatable {
  /// By which overlay.
  public var overlay: OverlayKind
  /// To whom.
  public var peer: PeerName
  /// Bytes of the inner frame with its Ethernet header.
  public var frameLength: Int
  /// The connection that it is a heartbeat of; nil: all bytes are zero.
  public var connectionUID: UInt64?
  /// Whether the underlay may fragment it.
  public var isFragmentable: Bool

  /// Describes a frame.
  public init(
    overlay: OverlayKind, peer: PeerName, frameLength: Int, connectionUID: UInt64? = nil,
    isFragmentable: Bool = false
  ) {
    self.overlay = overlay
    self.peer = peer
    self.frameLength = frameLength
    self.connectionUID = connectionUID
    self.isFragmentable = isFragmentable
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Inet

/// A TCP connection as machine and transport name it; numbers are never used twice.
public struct LinkIdentifier: Hashable, Sendable, BitwiseCopyable {
  /// The number.
  ///
  /// The machine counts those that it dials from 1, the transport marks those that it accepts with
  /// bit 63.
  public let number: UInt64

  /// Wraps a number.
  public init(_ number: UInt64) { self.number = number }
}

/// What happens to the mesh from outside.
public enum MeshInput: Sendable {
  /// Somebody dialled us.
  case accepted(LinkIdentifier, remote: SocketAddress, local: SocketAddress)
  /// What we dialled answered.
  case dialed(LinkIdentifier, remote: SocketAddress, local: SocketAddress)
  /// What we dialled did not answer; the text says why.
  case dialFailed(LinkIdentifier, reason: String)
  /// Bytes arrived, in order.
  case received(LinkIdentifier, [UInt8])
  /// The other end, or the transport, closed the connection; the text says why.
  case closed(LinkIdentifier, reason: String)
  /// A special frame came from a neighbour.
  case special(OverlaySpecial)
  /// A router says that a datagram which may not be fragmented was longer than the path to its
  /// outer `destination` carries, `pathMTU` bytes with all headers.
  case datagramTooLong(destination: SocketAddress, pathMTU: Int)
  /// The underlay carries IP packets of so many bytes from now on.
  case underlayMTU(Int)
  /// Our containers may send IP packets of so many bytes from now on.
  case overlayMTU(Int)
  /// The key that opens what comes from a neighbour by an overlay is nearly used up.
  case keyUsed(PeerName, OverlayKind)
  /// What `MeshEffect.keysAwaited` asked for last is so, but for keys of these neighbours that the
  /// data plane has no room for.
  case keysRead(except: Set<PeerName>)
  /// These are our passwords from now on.
  case passwords(PasswordRing)
  /// `nextDeadline` is reached.
  case deadline
  /// Be connected to these peers from now on, as well as to those before or, with `isReplacing`,
  /// instead of them.
  case connect([MeshTarget], isReplacing: Bool)
  /// Dial these peers no more; what is connected stays so.
  case forget([MeshTarget])
}

/// A peer as the user names it.
public struct MeshTarget: Hashable, Sendable {
  /// As typed, `host` or `host:port`.
  public var text: String
  /// What `text` means now; empty if it does not resolve.
  public var addresses: [SocketAddress]
  /// Whether `text` names a port.
  public var hasPort: Bool

  /// Describes a target.
  public init(text: String, addresses: [SocketAddress], hasPort: Bool) {
    self.text = text
    self.addresses = addresses
    self.hasPort = hasPort
  }
}

/// What the mesh wants done, in order.
public enum MeshEffect: Sendable, Equatable {
  /// Connect to `remote`; the answer is `dialed` or `dialFailed`.
  case dial(LinkIdentifier, SocketAddress)
  /// Send bytes, in order.
  case send(LinkIdentifier, [UInt8])
  /// Close at once, without sending what waits; no `closed` follows.
  case close(LinkIdentifier)
  /// Send a special frame to a neighbour; what it needs to know of the way is in `forwarding`.
  case probe(OverlayProbe)
  /// The picture of who reaches whom, or how, has changed: `forwarding` is to be read again.
  case forwardingChanged
  /// Neighbours are to be told of keys that `forwarding` has: they are as soon as `keysRead` says
  /// that no part of the data plane still works without these keys.
  case keysAwaited
  /// These peers are gone: whatever is kept about them is to be forgotten.
  case peersForgotten([PeerName])
  /// Something people want to read in a log.
  case note(MeshNote)
}

/// A line for the log.
public struct MeshNote: Sendable, Equatable {
  /// How much it matters.
  public enum Level: Sendable { case debug, info, warning }

  /// How much it matters.
  public var level: Level
  /// What happened, in a few words.
  public var text: String
  /// With whom and why, by name.
  public var details: [String: String]

  /// Makes a line.
  public init(_ level: Level, _ text: String, _ details: [String: String] = [:]) {
    self.level = level
    self.text = text
    self.details = details
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Gob
public import Inet

/// A gossip message with the channel it belongs to.
public struct GossipEnvelope: Sendable, Equatable {
  /// The channel's name.
  public var channel: String
  /// Who sent it: for gossip the neighbour, otherwise where it came from first.
  public var source: PeerName
  /// Whom it is for; nil unless it is a unicast.
  public var destination: PeerName?
  /// What the channel says.
  public var payload: [UInt8]

  /// Puts an envelope together.
  public init(channel: String, source: PeerName, destination: PeerName?, payload: [UInt8]) {
    self.channel = channel
    self.source = source
    self.destination = destination
    self.payload = payload
  }

  /// Reads an envelope, of a unicast with its destination.
  public init(gob: [UInt8], isUnicast: Bool) throws(GobError) {
    throw GobError(.truncated, offset: 0)
  }

  /// The envelope on the wire.
  public var gob: [UInt8] { [] }
}

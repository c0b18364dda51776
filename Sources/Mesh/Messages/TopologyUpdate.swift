// SPDX-License-Identifier: Apache-2.0

public import Gob
public import Inet

/// A peer and its connections, as one peer tells another.
public struct PeerDescription: Sendable, Equatable {
  /// A connection as the peer sees it.
  public struct Connection: Sendable, Equatable {
    /// Who is at the other end.
    public var peer: PeerName
    /// The other end's TCP address, as text that need not be an address.
    public var address: String
    /// Whether the peer dialled.
    public var isOutbound: Bool
    /// Whether an overlay works over it.
    public var isEstablished: Bool

    /// Describes a connection.
    public init(peer: PeerName, address: String, isOutbound: Bool, isEstablished: Bool) {
      self.peer = peer
      self.address = address
      self.isOutbound = isOutbound
      self.isEstablished = isEstablished
    }
  }

  /// Its name.
  public var name: PeerName
  /// What its people call it.
  public var nickname: String
  /// Drawn at its start; 0 for a peer that is only known by name.
  public var uid: UInt64
  /// Counts its changes.
  public var version: UInt64
  /// Its short number, if it has one.
  public var shortID: ShortID?
  /// Its connections, by name.
  public var connections: [Connection]

  /// Describes a peer.
  public init(
    name: PeerName, nickname: String, uid: UInt64, version: UInt64, shortID: ShortID?,
    connections: [Connection]
  ) {
    self.name = name
    self.nickname = nickname
    self.uid = uid
    self.version = version
    self.shortID = shortID
    self.connections = connections
  }
}

/// What travels on the channel `topology`.
public struct TopologyUpdate: Sendable, Equatable {
  /// The peers that it is about.
  public var peers: [PeerDescription]

  /// Wraps peers.
  public init(peers: [PeerDescription]) { self.peers = peers }

  /// How many peers an update may be about.
  public static let peerCountMax = 16_384

  /// Reads an update.
  ///
  /// Peers and connections with a name that is not six bytes, or zero, are left out, as are short
  /// numbers of more than 12 bits, and what comes after `peerCountMax` peers.
  ///
  /// Connections of peers that `isNews`, given a peer without them, says false of are not read:
  /// most of what a large mesh passes on is known already.
  public init(
    gob: [UInt8], isNews: (PeerDescription) -> Bool = { _ in true }
  ) throws(GobError) {
    var decoder = GobDecoder(gob)
    peers = []
    while peers.count < TopologyUpdate.peerCountMax, let summary = try decoder.next() {
      var peer = try PeerDescription(summary.structure(at: decoder.valueOffset))
      if let known = peer, !isNews(known) {
        guard try decoder.skip() else { throw GobError(.truncated, offset: decoder.offset) }
        peers.append(known)
        continue
      }
      guard let connections = try decoder.next() else {
        throw GobError(.truncated, offset: decoder.offset)
      }
      try peer?.take(connections.sequence(at: decoder.valueOffset), at: decoder.valueOffset)
      if let peer { peers.append(peer) }
    }
  }

  /// What one message should have in bytes at most: some of the 10 MiB that it may have.
  public static let usualLengthMax = 4 << 20

  /// The update in parts that have up to `lengthMax` bytes on the wire, unless one peer alone takes
  /// more; nothing if it is about nobody.
  ///
  /// Who gets one part before another takes those for placeholders that the other one describes.
  public func parts(lengthMax: Int) -> [TopologyUpdate] {
    var parts: [TopologyUpdate] = []
    var length = 0
    for peer in peers {
      let more = peer.encodedLengthMax
      if parts.isEmpty || length + more > lengthMax {
        parts.append(TopologyUpdate(peers: []))
        length = 0
      }
      parts[parts.count - 1].peers.append(peer)
      length += more
    }
    return parts
  }

  /// The update on the wire, everything in the order of names.
  public var gob: [UInt8] {
    // Weave's own numbers begin here, as another type has taken 65.
    var encoder = GobEncoder(firstNumber: 66)
    for peer in peers.sorted(by: { $0.name < $1.name }) {
      encoder.encode(peer.summary, as: PeerDescription.summaryType)
      encoder.encode(peer.connectionSummaries, as: PeerDescription.connectionsType)
    }
    return encoder.bytes
  }
}

extension PeerDescription {
  /// Bytes on the wire at most, without what is said once in each update.
  fileprivate var encodedLengthMax: Int {
    connections.reduce(80 + nickname.utf8.count) { $0 + 24 + $1.address.utf8.count }
  }
}

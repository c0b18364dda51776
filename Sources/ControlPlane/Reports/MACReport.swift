// SPDX-License-Identifier: Apache-2.0

package import Inet

/// One entry of the MAC table.
package struct MACReport: Codable, Sendable, Equatable {
  /// The station's address.
  package var mac: MACAddress
  /// Where frames to the station go: `port NAME`, `peer NAME` or `vtep ADDRESS vni NUMBER`.
  package var location: String
  /// Seconds since a frame of the station was last seen; whole sweeps, so up to a minute coarse.
  package var ageSeconds: UInt64

  /// A station behind one of our own ports.
  package init(mac: MACAddress, port: String, ageSeconds: UInt64) {
    self.mac = mac
    self.location = "port \(port)"
    self.ageSeconds = ageSeconds
  }

  /// A station behind another peer of the mesh.
  package init(mac: MACAddress, peer: PeerName, ageSeconds: UInt64) {
    self.mac = mac
    self.location = "peer \(peer)"
    self.ageSeconds = ageSeconds
  }

  /// A station behind a VXLAN endpoint of the underlay.
  package init(
    mac: MACAddress, endpoint: IPv4Address, network: VirtualNetwork, ageSeconds: UInt64
  ) {
    self.mac = mac
    self.location = "vtep \(endpoint) vni \(network)"
    self.ageSeconds = ageSeconds
  }

  private enum CodingKeys: String, CodingKey {
    case mac, location
    case ageSeconds = "age_seconds"
  }
}

/// How full the MAC table is and what happened to it.
package struct MACCountReport: Codable, Sendable, Equatable {
  /// Entries now.
  package var count: UInt64
  /// Entries there may be.
  package var limit: UInt64
  /// Addresses entered since the start.
  package var learned: UInt64
  /// Addresses that were seen at another place than before.
  package var moved: UInt64
  /// Addresses removed for not having been seen.
  package var aged: UInt64
  /// Addresses not entered because the table or the peer's share was full; their frames flood.
  package var refused: UInt64

  /// Describes the table.
  package init(
    count: UInt64 = 0, limit: UInt64 = 0, learned: UInt64 = 0, moved: UInt64 = 0,
    aged: UInt64 = 0, refused: UInt64 = 0
  ) {
    self.count = count
    self.limit = limit
    self.learned = learned
    self.moved = moved
    self.aged = aged
    self.refused = refused
  }
}

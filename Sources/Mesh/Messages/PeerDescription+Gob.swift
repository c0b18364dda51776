// SPDX-License-Identifier: Apache-2.0

import Gob
import Inet

/// The two values that stand for a peer on the wire.
extension PeerDescription {
  static let summaryType = GobType.structure(
    name: "peerSummary",
    fields: [
      GobField("NameByte", .bytes), GobField("NickName", .string), GobField("UID", .uint),
      GobField("Version", .uint), GobField("ShortID", .uint), GobField("HasShortID", .bool),
    ])

  static let connectionsType = GobType.sequence(
    element: .structure(
      name: "connectionSummary",
      fields: [
        GobField("NameByte", .bytes), GobField("RemoteTCPAddr", .string),
        GobField("Outbound", .bool), GobField("Established", .bool),
      ]))

  /// Reads the first value; there are no connections yet.
  ///
  /// Nil if it has no name that a peer can have: whoever passes it on may be innocent, and would
  /// pass it on again.
  init?(_ summary: GobStructure) throws(GobError) {
    guard let name = try PeerName(summary) else { return nil }
    self.init(
      name: name, nickname: try summary.string("NickName"),
      uid: try summary.uint("UID"), version: try summary.uint("Version"),
      shortID: try ShortID(summary), connections: [])
  }

  /// Reads the second value; of connections to the same peer the last one counts.
  mutating func take(_ values: [GobValue], at offset: Int) throws(GobError) {
    var byName: [PeerName: Connection] = [:]
    for value in values {
      guard let connection = try Connection(value.structure(at: offset)) else { continue }
      byName[connection.peer] = connection
    }
    connections = byName.values.sorted { $0.peer < $1.peer }
  }

  var summary: GobValue {
    .structure(
      GobStructure([
        "NameByte": .bytes(name.octets), "NickName": .string(nickname), "UID": .uint(uid),
        "Version": .uint(version), "ShortID": .uint(UInt64(shortID?.number ?? 0)),
        "HasShortID": .bool(shortID != nil),
      ]))
  }

  var connectionSummaries: GobValue {
    .sequence(connections.sorted { $0.peer < $1.peer }.map(\.summary))
  }
}

extension PeerDescription.Connection {
  fileprivate init?(_ summary: GobStructure) throws(GobError) {
    guard let peer = try PeerName(summary) else { return nil }
    self.init(
      peer: peer, address: try summary.string("RemoteTCPAddr"),
      isOutbound: try summary.bool("Outbound"), isEstablished: try summary.bool("Established"))
  }

  fileprivate var summary: GobValue {
    .structure(
      GobStructure([
        "NameByte": .bytes(peer.octets), "RemoteTCPAddr": .string(address),
        "Outbound": .bool(isOutbound), "Established": .bool(isEstablished),
      ]))
  }
}

extension PeerName {
  /// Nil unless it is six bytes that are not all zero.
  fileprivate init?(_ summary: GobStructure) throws(GobError) {
    let octets = try summary.bytes("NameByte")
    guard let name = PeerName(octets: octets), name != .unknown else { return nil }
    self = name
  }
}

extension ShortID {
  fileprivate init?(_ summary: GobStructure) throws(GobError) {
    let number = try summary.uint("ShortID")
    guard try summary.bool("HasShortID") else { return nil }
    guard let shortID = ShortID(number) else { return nil }
    self = shortID
  }
}

// SPDX-License-Identifier: Apache-2.0

import Gob
import Inet
import Mesh

extension FuzzTarget {
  /// A stream is values and perhaps an error; neither costs more than its length, and narrower
  /// limits refuse but never change them.
  static func gob(_ bytes: [UInt8]) throws {
    let (values, error) = decode(bytes, GobLimits())
    let size = values.reduce(0) { $0 + plainSize($1) }
    try hold(size <= bytes.count, "\(bytes.count) bytes are no \(size) values")
    if let error {
      try hold(0...bytes.count ~= error.offset, "\(error) is in the stream")
    }
    var limits = GobLimits()
    limits.messageLength = 200
    limits.textLength = 16
    limits.depth = 4
    limits.valueCount = 60
    limits.definitionCount = 3
    let (fewer, refusal) = decode(bytes, limits)
    try hold(same(fewer, Array(values.prefix(fewer.count))), "limits change no value")
    if case .tooLarge? = refusal?.reason { return }
    try hold(
      refusal == error && fewer.count == values.count, "only limits refuse: \(refusal as Any)")
  }

  private static func decode(_ bytes: [UInt8], _ limits: GobLimits) -> ([GobValue], GobError?) {
    var decoder = GobDecoder(bytes, limits: limits)
    var values: [GobValue] = []
    do throws(GobError) {
      while let value = try decoder.next() { values.append(value) }
      return (values, nil)
    } catch {
      return (values, error)
    }
  }

  /// Equality of what is written, as floats that are no numbers do not equal themselves.
  private static func same(_ left: [GobValue], _ right: [GobValue]) -> Bool {
    left == right || "\(left)" == "\(right)"
  }

  /// Values and bytes within a value; a byte of text can be repaired to three.
  private static func plainSize(_ value: GobValue) -> Int {
    switch value {
    case .bool, .int, .uint, .float, .complex: 1
    case .bytes(let bytes): 1 + bytes.count
    case .string(let text): 1 + text.utf8.count / 3
    case .structure(let structure): 1 + structure.fields.reduce(0) { $0 + plainSize($1.value) }
    case .sequence(let values): 1 + values.reduce(0) { $0 + plainSize($1) }
    case .map(let entries):
      1 + entries.reduce(0) { $0 + plainSize($1.key) + plainSize($1.value) }
    case .interface(_, let value): 1 + (value.map { plainSize($0) } ?? 0)
    }
  }

  /// What a peer says is refused or understood, and then it can be said again.
  static func topology(_ bytes: [UInt8]) throws {
    try features(bytes)
    for isUnicast in [false, true] {
      guard let envelope = try? GossipEnvelope(gob: bytes, isUnicast: isUnicast) else { continue }
      let again = try? GossipEnvelope(gob: envelope.gob, isUnicast: isUnicast)
      try hold(again == envelope, "an envelope read again")
      try update(envelope.payload)
    }
    try update(bytes)
  }

  private static func features(_ bytes: [UInt8]) throws {
    guard let map = try? FeatureMap(gob: bytes) else { return }
    try hold(map.entries.count <= FeatureMap.countMax, "\(map.entries.count) features")
    try hold((try? FeatureMap(gob: map.gob)) == map, "features read again")
    guard let features = try? Features(map) else { return }
    try hold(features.name != .unknown && features.uid != 0, "\(features)")
    try hold((try? Features(features.map)) == features, "\(features)")
  }

  private static func update(_ bytes: [UInt8]) throws {
    guard let update = try? TopologyUpdate(gob: bytes) else { return }
    for peer in update.peers {
      let names = peer.connections.map(\.peer)
      try hold(peer.name != .unknown && !names.contains(.unknown), "nobody has the name 0")
      try hold(zip(names, names.dropFirst()).allSatisfy { $0 < $1 }, "each connection once")
    }
    var sorted = update
    sorted.peers.sort { $0.name < $1.name }
    let again = try? TopologyUpdate(gob: update.gob)
    try hold(again?.peers.map(\.name) == sorted.peers.map(\.name), "peers in order")
    try hold(again?.gob == update.gob, "an update is written the same again")
  }
}

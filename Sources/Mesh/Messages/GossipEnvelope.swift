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

  /// How long a channel's name may be, in bytes.
  public static let channelLengthMax = 256

  /// There are four; definitions that nobody needs may have some, too.
  private static let valueCountMax = 64

  /// Reads an envelope, of a unicast with its destination.
  ///
  /// - Throws: `GobError`, also if the channel's name is longer than 256 bytes.
  public init(gob: [UInt8], isUnicast: Bool) throws(GobError) {
    var limits = GobLimits()
    limits.valueCount = GossipEnvelope.valueCountMax
    var decoder = GobDecoder(gob, limits: limits)
    channel = try decoder.required().string(at: decoder.valueOffset)
    guard channel.utf8.count <= GossipEnvelope.channelLengthMax else {
      let length = channel.utf8.count
      throw GobError(.tooLarge("a channel's name of \(length) bytes"), offset: decoder.offset)
    }
    source = try decoder.peerName()
    destination = isUnicast ? try decoder.peerName() : nil
    payload = try decoder.required().bytes(at: decoder.valueOffset)
  }

  /// The envelope on the wire.
  public var gob: [UInt8] {
    var encoder = GobEncoder()
    encoder.encode(.string(channel), as: .string)
    encoder.encode(.uint(source.bits), as: .uint)
    if let destination { encoder.encode(.uint(destination.bits), as: .uint) }
    encoder.encode(.bytes(payload), as: .bytes)
    return encoder.bytes
  }
}

extension GobDecoder {
  /// The next value, which must be there.
  fileprivate mutating func required() throws(GobError) -> GobValue {
    guard let value = try next() else { throw GobError(.truncated, offset: offset) }
    return value
  }

  fileprivate mutating func peerName() throws(GobError) -> PeerName {
    let number = try required().uint(at: valueOffset)
    guard number >> 48 == 0 else {
      throw GobError(.malformed("the peer name \(number)"), offset: valueOffset)
    }
    return PeerName(bits: number)
  }
}

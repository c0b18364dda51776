// SPDX-License-Identifier: Apache-2.0

public import Inet

/// A TCP connection, from its first packet.
public struct CapturedSession: Sendable {
  /// Bytes that arrived in order, each once.
  public struct Piece: Sendable {
    /// When they were seen, since the first frame.
    public let microseconds: Int
    /// Whether the end that dialled sent them.
    public let isFromClient: Bool
    /// The bytes.
    public let bytes: [UInt8]
  }

  /// The end that dialled.
  public let client: SocketAddress
  /// The end that was dialled.
  public let server: SocketAddress
  /// What both said, in the order of the recording.
  public private(set) var pieces: [Piece] = []

  private var ends: [Bool: End] = [:]

  /// All that the end that dialled sent.
  public var clientBytes: [UInt8] { pieces.filter(\.isFromClient).flatMap(\.bytes) }

  /// All that the end that was dialled sent.
  public var serverBytes: [UInt8] { pieces.filter { !$0.isFromClient }.flatMap(\.bytes) }

  /// What one end has sent: the number of the next byte, and what came too early.
  private struct End {
    var next: UInt32
    var early: [(sequence: UInt32, bytes: [UInt8])] = []

    /// Whether bytes are missing before a sequence number.
    func isBefore(_ sequence: UInt32) -> Bool { Int32(bitPattern: sequence &- next) > 0 }
  }

  private init(client: SocketAddress, server: SocketAddress) {
    self.client = client
    self.server = server
  }

  static func reassembled(from packets: [CapturedPacket]) -> [CapturedSession] {
    var sessions: [CapturedSession] = []
    for packet in packets {
      guard let segment = Segment(packet) else { continue }
      if segment.isOpening {
        sessions.append(CapturedSession(client: segment.source, server: segment.destination))
      }
      let index = sessions.lastIndex { session in
        [session.client, session.server] == [segment.source, segment.destination]
          || [session.server, session.client] == [segment.source, segment.destination]
      }
      if let index { sessions[index].take(segment) }
    }
    return sessions
  }

  private mutating func take(_ segment: Segment) {
    let isFromClient = segment.source == client
    if segment.isSynchronizing { ends[isFromClient] = End(next: segment.sequence &+ 1) }
    guard var end = ends[isFromClient], !segment.bytes.isEmpty else { return }
    end.early.append((segment.sequence, segment.bytes))
    while let index = end.early.firstIndex(where: { !end.isBefore($0.sequence) }) {
      let (sequence, bytes) = end.early.remove(at: index)
      let fresh = Array(bytes.dropFirst(Int(end.next &- sequence)))
      guard !fresh.isEmpty else { continue }
      end.next &+= UInt32(fresh.count)
      pieces.append(
        Piece(microseconds: segment.microseconds, isFromClient: isFromClient, bytes: fresh))
    }
    ends[isFromClient] = end
  }
}

/// What a TCP packet says.
private struct Segment {
  let microseconds: Int
  let source: SocketAddress
  let destination: SocketAddress
  let sequence: UInt32
  let flags: UInt8
  let bytes: [UInt8]

  var isSynchronizing: Bool { flags & 0x02 != 0 }
  var isOpening: Bool { flags & 0x12 == 0x02 }

  init?(_ packet: CapturedPacket) {
    let payload = packet.payload
    guard packet.protocolNumber == 6, !packet.isFragment, payload.count >= 20 else { return nil }
    let length = Int(payload[12] >> 4) * 4
    guard (20...payload.count).contains(length) else { return nil }
    microseconds = packet.microseconds
    source = SocketAddress(packet.source, port: UInt16(number(payload, 0, 2)))
    destination = SocketAddress(packet.destination, port: UInt16(number(payload, 2, 2)))
    sequence = UInt32(number(payload, 4, 4))
    flags = payload[13]
    bytes = Array(payload[length...])
  }
}

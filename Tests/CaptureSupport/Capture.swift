// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// The Ethernet frames of a pcap file, in the order of the recording.
public struct Capture: Sendable {
  /// A frame with its time since the first one.
  public struct Frame: Sendable {
    /// The time.
    public let microseconds: Int
    /// The whole frame.
    public let bytes: [UInt8]
  }

  /// What is wrong with a file.
  public struct Failure: Error, CustomStringConvertible {
    /// A sentence about it.
    public let description: String
  }

  /// The frames.
  public let frames: [Frame]

  /// The recordings in `Fixtures/captures`.
  public static let names = [
    "weave-v2-plain", "weave-v2-encrypted", "weave-v1-plain", "weave-v1-encrypted",
  ]

  /// Where the recordings are.
  public static var folder: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/captures")
  }

  /// Opens one of the recordings, by its name without suffix.
  public init(named name: String) throws {
    try self.init(pcap: Array(Data(contentsOf: Capture.folder.appending(path: "\(name).pcap"))))
  }

  /// Takes apart a little-endian pcap file of Ethernet frames.
  public init(pcap: [UInt8]) throws(Failure) {
    guard pcap.count >= 24, pcap[20] == 1, [0xA1B2_C3D4, 0xA1B2_3C4D].contains(word(pcap, 0)) else {
      throw Failure(description: "this is no little-endian pcap file of Ethernet frames")
    }
    let perMicrosecond = word(pcap, 0) == 0xA1B2_C3D4 ? 1 : 1000
    var frames: [Frame] = []
    var start: Int?
    var offset = 24
    while offset < pcap.count {
      guard offset + 16 <= pcap.count, offset + 16 + word(pcap, offset + 8) <= pcap.count else {
        throw Failure(description: "the pcap file ends within frame \(frames.count)")
      }
      let time = word(pcap, offset) * 1_000_000 + word(pcap, offset + 4) / perMicrosecond
      let end = offset + 16 + word(pcap, offset + 8)
      frames.append(
        Frame(microseconds: time - (start ?? time), bytes: Array(pcap[offset + 16..<end])))
      start = start ?? time
      offset = end
    }
    self.frames = frames
  }

  /// The IPv4 packets, fragments each by itself.
  public var packets: [CapturedPacket] { frames.compactMap(CapturedPacket.init) }

  /// The UDP datagrams that came whole, at the time of their last fragment.
  public var datagrams: [CapturedDatagram] { CapturedDatagram.reassembled(from: packets) }

  /// The TCP connections whose beginning was recorded.
  public var sessions: [CapturedSession] { CapturedSession.reassembled(from: packets) }
}

/// Four bytes, the least significant first.
private func word(_ bytes: [UInt8], _ offset: Int) -> Int {
  bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
}

// SPDX-License-Identifier: Apache-2.0

/// Reads a capture file record by record, with never more than a few records in memory.
///
/// The classic format, in both byte orders and with both resolutions, of Ethernet frames. What the
/// file claims is checked before it is believed.
public struct PcapReader: ~Copyable {
  /// How the file is written.
  public let format: PcapFormat
  private let file: ByteFile
  /// What was read from the file and not yet given out: `buffer[start...]`.
  private var buffer: [UInt8] = []
  private var start = 0
  /// Where in the file `start` is.
  private var offset: UInt64 = 0

  /// Bytes that are asked of the file at once.
  private static var pieceLength: Int { 65_536 }

  /// Opens a file and checks how it begins.
  public init(path: String) throws(PcapError) {
    let file = try ByteFile(reading: path)
    let header = try file.read(PcapFormat.headerLength, at: 0)
    guard header.count >= 4 else {
      throw PcapError(path, at: 0, .truncated(missing: PcapFormat.headerLength - header.count))
    }
    guard let format = PcapFormat(magic: header[0..<4]) else {
      let magic = PcapFormat.ByteOrder.big.word(header[0..<4])
      throw PcapError(path, at: 0, magic == 0x0A0D_0D0A ? .pcapng : .notPcap(magic: magic))
    }
    guard header.count == PcapFormat.headerLength else {
      let missing = PcapFormat.headerLength - header.count
      throw PcapError(path, at: UInt64(header.count), .truncated(missing: missing))
    }
    // Two numbers of 16 bits; the one that comes first in the file is the major version.
    let versions = format.order.word(header[4..<8])
    let major = format.order == .little ? versions & 0xFFFF : versions >> 16
    guard major == PcapFormat.version else {
      throw PcapError(path, at: 4, .version(UInt16(major)))
    }
    let linkType = format.order.word(header[20..<24])
    guard linkType == PcapFormat.ethernet else {
      throw PcapError(path, at: 20, .linkType(linkType))
    }
    self.format = format
    self.file = file
    offset = UInt64(PcapFormat.headerLength)
  }

  /// The next record, or nil at the end of the file.
  public mutating func next() throws(PcapError) -> PcapRecord? {
    guard try has(1) else { return nil }
    try require(PcapFormat.recordHeaderLength)
    let length = word(8)
    guard length <= PcapFormat.recordLengthMax else {
      throw PcapError(file.path, at: offset + 8, .recordTooLong(length))
    }
    try require(PcapFormat.recordHeaderLength + Int(length))
    let nanoseconds =
      UInt64(word(0)) * 1_000_000_000 + UInt64(word(4)) * format.resolution.nanoseconds
    let originalLength = word(12)
    skip(PcapFormat.recordHeaderLength)
    let bytes = Array(buffer[start..<(start + Int(length))])
    skip(Int(length))
    return PcapRecord(
      nanoseconds: nanoseconds, bytes: bytes, originalLength: max(originalLength, length))
  }

  private func word(_ place: Int) -> UInt32 { format.order.word(buffer[(start + place)...]) }

  private mutating func skip(_ count: Int) {
    start += count
    offset += UInt64(count)
  }

  /// Makes sure that so many bytes are there; throws where the file ends if they are not.
  private mutating func require(_ count: Int) throws(PcapError) {
    guard try !has(count) else { return }
    let there = buffer.count - start
    throw PcapError(
      file.path, at: offset + UInt64(there), .truncated(missing: count - there))
  }

  /// Whether so many bytes are there, after reading what is missing.
  private mutating func has(_ count: Int) throws(PcapError) -> Bool {
    let there = buffer.count - start
    guard there < count else { return true }
    let wanted = max(count - there, PcapReader.pieceLength)
    let piece = try file.read(wanted, at: offset + UInt64(there))
    buffer.removeSubrange(..<start)
    start = 0
    buffer += piece
    return buffer.count >= count
  }
}

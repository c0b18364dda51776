// SPDX-License-Identifier: Apache-2.0

/// Writes a capture file record by record.
public struct PcapWriter: ~Copyable {
  /// How the file is written.
  public let format: PcapFormat
  private let file: ByteFile
  /// What the file has not got yet.
  private var buffer: [UInt8] = []
  private var written: UInt64 = 0

  /// Bytes that are given to the file at once.
  private static var pieceLength: Int { 65_536 }

  /// Makes a file, in place of one that may be there, and writes its beginning.
  public init(path: String, format: PcapFormat = PcapFormat()) throws(PcapError) {
    self.format = format
    file = try ByteFile(writing: path)
    let order = format.order
    buffer += order.bytes(format.resolution.magic)
    buffer += order.bytes(UInt32(PcapFormat.version), count: 2) + order.bytes(4, count: 2)
    // Time zone and accuracy: nobody fills them in.
    buffer += order.bytes(0) + order.bytes(0)
    buffer += order.bytes(PcapFormat.recordLengthMax) + order.bytes(PcapFormat.ethernet)
  }

  /// Adds a record; its bytes are at most 262,144.
  public mutating func append(_ record: PcapRecord) throws(PcapError) {
    precondition(
      record.bytes.count <= Int(PcapFormat.recordLengthMax), "a frame that a file may hold")
    let order = format.order
    let fraction = record.nanoseconds % 1_000_000_000 / format.resolution.nanoseconds
    buffer += order.bytes(UInt32(truncatingIfNeeded: record.nanoseconds / 1_000_000_000))
    buffer += order.bytes(UInt32(fraction))
    buffer += order.bytes(UInt32(record.bytes.count)) + order.bytes(record.originalLength)
    buffer += record.bytes
    if buffer.count >= PcapWriter.pieceLength { try flush() }
  }

  /// Gives the file everything that was added.
  ///
  /// Called once more at the end; what is not flushed is not in the file.
  public mutating func flush() throws(PcapError) {
    try file.write(buffer, at: written)
    written += UInt64(buffer.count)
    buffer.removeAll(keepingCapacity: true)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Bytes that wait to be sent on a link, in order.
///
/// They lie in chunks, into which small pieces are put together, so that what is held grows with
/// the bytes and not with the number of calls.
struct Outbox {
  /// The longest chunk; the kernel is given one at a time.
  static let chunkLength = 64 << 10

  private var chunks = CircularBuffer<ByteBuffer>()
  /// How many bytes wait.
  private(set) var length = 0

  /// Appends bytes.
  mutating func append(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let room = chunks.last.map { Self.chunkLength - $0.readableBytes } ?? 0
      if room > 0 {
        let part = rest.prefix(room)
        chunks.modify(chunks.index(before: chunks.endIndex)) { _ = $0.writeBytes(part) }
        rest = rest.dropFirst(room)
      } else {
        chunks.append(ByteBuffer(bytes: rest.prefix(Self.chunkLength)))
        rest = rest.dropFirst(Self.chunkLength)
      }
    }
    length += bytes.count
  }

  /// Takes the first chunk out.
  mutating func takeFirst() -> ByteBuffer? {
    guard let chunk = chunks.popFirst() else { return nil }
    length -= chunk.readableBytes
    return chunk
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What one end says in protocol 2: header, key if there is a password, and frames.
public struct Protocol2Stream: Sendable {
  /// The first seven bytes.
  public let header: [UInt8]
  /// The end's public key; nil without a password.
  public let publicKey: [UInt8]?
  /// What follows the lengths, sealed if there is a key: first the features, then messages.
  public let frames: [[UInt8]]
  /// Bytes of a frame that is not complete.
  public let rest: [UInt8]

  /// Cuts a stream; nil if it ends before the first frame.
  public init?(_ stream: [UInt8]) {
    guard stream.count >= 8 else { return nil }
    header = Array(stream[..<7])
    let start = stream[7] == 1 ? 40 : 8
    guard stream.count >= start else { return nil }
    publicKey = stream[7] == 1 ? Array(stream[8..<40]) : nil
    var frames: [[UInt8]] = []
    var offset = start
    while offset + 4 <= stream.count {
      let end = offset + 4 + number(stream, offset, 4)
      guard end <= stream.count else { break }
      frames.append(Array(stream[offset + 4..<end]))
      offset = end
    }
    self.frames = frames
    rest = Array(stream[offset...])
  }
}

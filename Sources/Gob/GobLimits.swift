// SPDX-License-Identifier: Apache-2.0

/// What a stream may ask of its reader.
///
/// Counts are checked against the bytes that are there before anything is done with them, and each
/// value takes at least a byte. The worst streams, of tiny values in lists of their own within
/// lists, need some 60 bytes of memory for each of theirs: whoever expects few values says so.
public struct GobLimits: Sendable, Equatable {
  /// Bytes of one message.
  public var messageLength = 10 * 1024 * 1024
  /// Bytes of one string or byte sequence.
  public var textLength = 10 * 1024 * 1024
  /// Values within values; a top-level value that holds no others has depth 1.
  public var depth = 32
  /// Values of all kinds in the whole stream, those of definitions included.
  public var valueCount = 2 * 1024 * 1024
  /// Definitions in the whole stream.
  public var definitionCount = 256

  /// What a mesh needs, generously.
  public init() {}
}

// SPDX-License-Identifier: Apache-2.0

internal import CSodium

/// Memory for a batch: a run of Salsa20's stream, a nonce, and what is authenticated besides the
/// text.
///
/// Why this is sound: `withScratch` lends `length` bytes for the time of a call, and the parts lie
/// within.
@unsafe
struct PacketScratch {
  /// Bytes of the stream that are made at once.
  static let runLength = 512
  private static let nonceOffset = runLength
  private static let associatedOffset = nonceOffset + 16
  private static let length = associatedOffset + 16

  private let base: UnsafeMutableRawPointer

  /// `runLength` bytes.
  @inline(__always)
  var run: UnsafeMutablePointer<UInt8> { unsafe base.assumingMemoryBound(to: UInt8.self) }

  /// 16 bytes, 12 of them used.
  @inline(__always)
  var nonce: UnsafeMutableRawPointer { unsafe base + PacketScratch.nonceOffset }

  /// 16 bytes, 12 of them used.
  @inline(__always)
  var associated: UnsafeMutableRawPointer { unsafe base + PacketScratch.associatedOffset }

  /// Lends zeros; they are zero again behind the user, who leaves keys and text in them.
  ///
  /// Swift takes memory with an alignment above 16 from the heap.
  @inline(__always)
  static func withScratch(_ body: (PacketScratch) -> Void) {
    unsafe withUnsafeTemporaryAllocation(byteCount: length, alignment: 16) { memory in
      let bytes = unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
      let address = unsafe UnsafeMutableRawPointer(bytes.baseAddress.unsafelyUnwrapped)
      unsafe body(PacketScratch(base: address))
      unsafe sodium_memzero(address, length)
    }
  }
}

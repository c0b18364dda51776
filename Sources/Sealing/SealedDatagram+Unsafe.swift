// SPDX-License-Identifier: Apache-2.0

internal import CSodium

/// A datagram of sleeve in memory, to be sealed or opened where it is.
///
/// The sender's name (6 bytes), the sequence number (8), the tag (16), the text: NaCl's secretbox,
/// whose nonce ends with the number as it is sent. Salsa20's stream of bytes begins with the 32 of
/// the key for Poly1305; those behind it hide the text.
///
/// libsodium makes eight blocks of the stream in the time of one, but only where it is asked for
/// 512 bytes at once (four, for 256). Its own secretbox asks for one block and then for the rest.
/// Here the stream is asked for in such runs, by way of `scratch` where the text ends before.
///
/// Why this is sound: the caller hands in `count` bytes, at least 30, and lends them for the time
/// of the call. All lengths are derived from `count`; `scratch` has `runLength` bytes, and what is
/// copied into it is never longer.
@unsafe
struct SealedDatagram {
  private let bytes: UnsafeMutablePointer<UInt8>
  private let textCount: Int

  @inline(__always)
  init(_ address: UnsafeMutableRawPointer, count: Int) {
    unsafe bytes = address.assumingMemoryBound(to: UInt8.self)
    unsafe textCount = count - SleeveSessions.plaintextOffset
  }

  private typealias Scratch = UnsafeMutablePointer<UInt8>

  /// Bytes of the stream that are made at once.
  private static let runLength = 512
  /// Bytes of a block of the stream.
  private static let blockLength = 64
  /// Bytes of Poly1305's key, at the start of the stream.
  private static let macKeyLength = 32

  /// The last 8 bytes of the nonce.
  @inline(__always)
  private var number: UnsafeMutablePointer<UInt8> { unsafe bytes + 6 }
  @inline(__always)
  private var tag: UnsafeMutablePointer<UInt8> { unsafe bytes + 14 }
  @inline(__always)
  private var text: UnsafeMutablePointer<UInt8> { unsafe bytes + SleeveSessions.plaintextOffset }

  /// Bytes of the text in the first run.
  @inline(__always)
  private var headCount: Int {
    unsafe min(textCount, SealedDatagram.runLength - SealedDatagram.macKeyLength)
  }

  /// Encrypts the text and writes number and tag.
  @inline(__always)
  func seal(_ bits: UInt64, _ slot: SessionSlot) {
    let key = unsafe slot.sealingKey
    unsafe UnsafeMutableRawPointer(number).storeBytes(of: bits.bigEndian, as: UInt64.self)
    unsafe SealedDatagram.withScratch { scratch in
      unsafe cryptTail(key, scratch)
      unsafe loadHead(key, scratch)
      unsafe storeHead(scratch)
      unsafe _ = crypto_onetimeauth(tag, text, UInt64(textCount), scratch)
    }
  }

  /// Decrypts the text if the tag is right and the number new.
  @inline(__always)
  func open(_ slot: SessionSlot) -> SleeveSessions.Opening {
    let key = unsafe slot.openingKey
    let bits = unsafe UInt64(
      bigEndian: UnsafeRawPointer(number).loadUnaligned(as: UInt64.self))
    return unsafe SealedDatagram.withScratch { scratch in
      unsafe loadHead(key, scratch)
      guard unsafe crypto_onetimeauth_verify(tag, text, UInt64(textCount), scratch) == 0 else {
        return .notAuthentic
      }
      guard slot.accept(bits) else { return .replayed }
      unsafe storeHead(scratch)
      unsafe cryptTail(key, scratch)
      return .opened
    }
  }

  /// Lends a run of zeros; the key for Poly1305, which is at its start, is zeroed behind the user.
  ///
  /// Swift takes memory with an alignment above 16 from the heap.
  @inline(__always)
  private static func withScratch<Result>(_ body: (Scratch) -> Result) -> Result {
    unsafe withUnsafeTemporaryAllocation(
      byteCount: SealedDatagram.runLength, alignment: 16
    ) { memory in
      let scratch = unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
      let address = unsafe scratch.baseAddress.unsafelyUnwrapped
      defer { unsafe sodium_memzero(address, macKeyLength) }
      return unsafe body(address)
    }
  }

  // MARK: The first run

  /// Makes the key for Poly1305, and behind it the head of the text, encrypted or decrypted.
  @inline(__always)
  private func loadHead(_ key: UnsafePointer<UInt8>, _ scratch: Scratch) {
    let macKeyLength = unsafe SealedDatagram.macKeyLength
    unsafe scratch.update(repeating: 0, count: macKeyLength)
    unsafe (scratch + macKeyLength).update(from: text, count: headCount)
    unsafe crypt(scratch, count: macKeyLength + headCount, block: 0, key)
  }

  /// Puts the head in its place.
  @inline(__always)
  private func storeHead(_ scratch: Scratch) {
    unsafe text.update(from: scratch + SealedDatagram.macKeyLength, count: headCount)
  }

  // MARK: What is behind it

  /// Encrypts or decrypts the text behind the head: whole runs where they are, the rest in
  /// `scratch`.
  @inline(__always)
  private func cryptTail(_ key: UnsafePointer<UInt8>, _ scratch: Scratch) {
    let runLength = unsafe SealedDatagram.runLength
    let tailCount = unsafe textCount - headCount
    guard tailCount > 0 else { return }
    let tail = unsafe text + headCount
    let wholeCount = tailCount & ~(runLength - 1)
    let firstBlock = unsafe runLength / SealedDatagram.blockLength
    if wholeCount > 0 { unsafe crypt(tail, count: wholeCount, block: firstBlock, key) }
    let restCount = tailCount - wholeCount
    guard restCount > 0 else { return }
    let rest = unsafe tail + wholeCount
    let restBlock = unsafe firstBlock + wholeCount / SealedDatagram.blockLength
    unsafe scratch.update(from: rest, count: restCount)
    unsafe crypt(scratch, count: restCount, block: restBlock, key)
    unsafe rest.update(from: scratch, count: restCount)
  }

  /// Adds the stream from a block on to `count` bytes, and to those up to the next half run.
  @inline(__always)
  private func crypt(
    _ bytes: UnsafeMutablePointer<UInt8>, count: Int, block: Int, _ key: UnsafePointer<UInt8>
  ) {
    let half = unsafe SealedDatagram.runLength / 2
    let rounded = (count + half - 1) & ~(half - 1)
    _ = unsafe crypto_stream_salsa20_xor_ic(
      bytes, bytes, UInt64(rounded), number, UInt64(block), key)
  }
}

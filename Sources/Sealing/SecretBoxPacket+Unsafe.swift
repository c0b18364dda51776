// SPDX-License-Identifier: Apache-2.0

internal import CSodium

/// A datagram of sleeve in memory, to be sealed or opened where it is by secretbox.
///
/// XSalsa20 is two steps: HSalsa20 makes a subkey of the key and the first 16 bytes of the nonce,
/// which in sleeve say only who sends, and Salsa20 does the rest, with the number as it is sent for
/// a nonce. Its stream of bytes begins with the 32 of the key for Poly1305; those behind it hide
/// the text.
///
/// libsodium makes eight blocks of the stream in the time of one, but only where it is asked for
/// 512 bytes at once (four, for 256). Its own secretbox asks for one block and then for the rest.
/// Here the stream is asked for in such runs, by way of the scratch where the text ends before.
///
/// Why this is sound: the caller hands in `count` bytes, at least 30, and lends them, the key's 32
/// and the scratch for the time of the call. All lengths are derived from `count`; what is copied
/// into the scratch is never longer than its run.
@unsafe
struct SecretBoxPacket {
  private let bytes: UnsafeMutablePointer<UInt8>
  private let textCount: Int
  private let key: UnsafePointer<UInt8>
  private let run: UnsafeMutablePointer<UInt8>

  @inline(__always)
  init(
    _ address: UnsafeMutableRawPointer, count: Int, key: UnsafePointer<UInt8>,
    _ scratch: PacketScratch
  ) {
    unsafe bytes = address.assumingMemoryBound(to: UInt8.self)
    unsafe textCount = count - PacketLayout.sleeveOverhead
    unsafe self.key = key
    unsafe run = scratch.run
  }

  /// Bytes of a block of the stream.
  private static let blockLength = 64
  /// Bytes of Poly1305's key, at the start of the stream.
  private static let macKeyLength = 32

  /// The last 8 bytes of the nonce.
  @inline(__always)
  private var number: UnsafeMutablePointer<UInt8> { unsafe bytes + PacketLayout.numberOffset }
  @inline(__always)
  private var tag: UnsafeMutablePointer<UInt8> { unsafe bytes + PacketLayout.tagOffset }
  @inline(__always)
  private var text: UnsafeMutablePointer<UInt8> { unsafe bytes + PacketLayout.sleeveOverhead }

  /// Bytes of the text in the first run.
  @inline(__always)
  private var headCount: Int {
    unsafe min(textCount, PacketScratch.runLength - SecretBoxPacket.macKeyLength)
  }

  /// Encrypts the text and writes the tag; the number is in its place.
  @inline(__always)
  func seal() {
    unsafe cryptTail()
    unsafe loadHead()
    unsafe storeHead()
    unsafe _ = crypto_onetimeauth(tag, text, UInt64(textCount), run)
  }

  /// Whether the tag is right; the text is as it was, and `decrypt` has to be next.
  @inline(__always)
  func isAuthentic() -> Bool {
    unsafe loadHead()
    return unsafe crypto_onetimeauth_verify(tag, text, UInt64(textCount), run) == 0
  }

  /// Decrypts the text behind `isAuthentic`.
  @inline(__always)
  func decrypt() {
    unsafe storeHead()
    unsafe cryptTail()
  }

  // MARK: The first run

  /// Makes the key for Poly1305, and behind it the head of the text, encrypted or decrypted.
  @inline(__always)
  private func loadHead() {
    let macKeyLength = unsafe SecretBoxPacket.macKeyLength
    unsafe run.update(repeating: 0, count: macKeyLength)
    unsafe (run + macKeyLength).update(from: text, count: headCount)
    unsafe crypt(run, count: macKeyLength + headCount, block: 0)
  }

  /// Puts the head in its place.
  @inline(__always)
  private func storeHead() {
    unsafe text.update(from: run + SecretBoxPacket.macKeyLength, count: headCount)
  }

  // MARK: What is behind it

  /// Encrypts or decrypts the text behind the head: whole runs where they are, the rest in the
  /// scratch.
  @inline(__always)
  private func cryptTail() {
    let runLength = unsafe PacketScratch.runLength
    let tailCount = unsafe textCount - headCount
    guard tailCount > 0 else { return }
    let tail = unsafe text + headCount
    let wholeCount = tailCount & ~(runLength - 1)
    let firstBlock = unsafe runLength / SecretBoxPacket.blockLength
    if wholeCount > 0 { unsafe crypt(tail, count: wholeCount, block: firstBlock) }
    let restCount = tailCount - wholeCount
    guard restCount > 0 else { return }
    let rest = unsafe tail + wholeCount
    let restBlock = unsafe firstBlock + wholeCount / SecretBoxPacket.blockLength
    unsafe run.update(from: rest, count: restCount)
    unsafe crypt(run, count: restCount, block: restBlock)
    unsafe rest.update(from: run, count: restCount)
  }

  /// Adds the stream from a block on to `count` bytes, and to those up to the next half run.
  @inline(__always)
  private func crypt(_ bytes: UnsafeMutablePointer<UInt8>, count: Int, block: Int) {
    let half = unsafe PacketScratch.runLength / 2
    let rounded = (count + half - 1) & ~(half - 1)
    _ = unsafe crypto_stream_salsa20_xor_ic(
      bytes, bytes, UInt64(rounded), number, UInt64(block), key)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import CSodium
internal import Glibc

/// A session's place in the table of `SleeveSessions`: a record with keys and counters, and the
/// replay windows, which lie behind the records of all sessions.
///
/// XSalsa20 is two steps: HSalsa20 makes a subkey of the key and the first 16 bytes of the nonce,
/// which in sleeve say only who sends, and Salsa20 does the rest. So a record has the two subkeys,
/// and the session's key is nowhere. A slot that is not in use is all zeros.
///
/// Why this is sound: `SleeveSessions` makes slots only of numbers within its table, and the table
/// has `recordLength` bytes for the record and `windowsLength` for the windows of each. Offsets
/// below stay within these, and words are at multiples of their size.
@safe
struct SessionSlot: BitwiseCopyable {
  /// Three cache lines, so that taking a number disturbs nobody who only reads.
  static let recordLength = 192
  /// One window for each kind of datagram.
  static let windowsLength = 2 * SharedReplayWindow.length

  private static let openingKeyOffset = 32
  private static let stateOffset = 64
  private static let countersOffset = 128

  private let record: UnsafeMutableRawPointer
  private let windows: UnsafeMutableRawPointer

  @unsafe
  @inline(__always)
  init(table: UnsafeMutableRawPointer, number: Int) {
    unsafe record = table + number * SessionSlot.recordLength
    unsafe windows =
      table + SleeveSessions.capacity * SessionSlot.recordLength
      + number * SessionSlot.windowsLength
  }

  // MARK: Keys

  /// The subkey for what we send, 32 bytes.
  @unsafe
  @inline(__always)
  var sealingKey: UnsafePointer<UInt8> { unsafe key(at: 0) }

  /// The subkey for what the other end sends, 32 bytes.
  @unsafe
  @inline(__always)
  var openingKey: UnsafePointer<UInt8> { unsafe key(at: SessionSlot.openingKeyOffset) }

  @unsafe
  @inline(__always)
  private func key(at offset: Int) -> UnsafePointer<UInt8> {
    unsafe UnsafePointer((record + offset).assumingMemoryBound(to: UInt8.self))
  }

  /// Whether a byte of the keys is not zero.
  var hasSecrets: Bool {
    (0..<SessionSlot.stateOffset).contains {
      unsafe record.load(fromByteOffset: $0, as: UInt8.self) != 0
    }
  }

  // MARK: Life

  /// Whether there is a session; if so, its keys can be read.
  @inline(__always)
  var isInUse: Bool { unsafe cintrinsics_load_acquire_32(state) != 0 }

  private var state: UnsafeMutablePointer<UInt32> {
    unsafe (record + SessionSlot.stateOffset).assumingMemoryBound(to: UInt32.self)
  }

  /// Fills the slot in and lets everybody see it.
  func publish(
    _ key: SessionKey, isOutbound: Bool, firstNumbers: SleeveSessions.FirstNumbers
  ) {
    // Where the limit on locked memory forbids it, the keys may be swapped out.
    unsafe mlock(record, SessionSlot.recordLength)
    derive(key, isSenderOutbound: isOutbound, at: 0)
    derive(key, isSenderOutbound: !isOutbound, at: SessionSlot.openingKeyOffset)
    unsafe cintrinsics_store_relaxed_64(counter(isFragmentable: false), firstNumbers.unfragmentable)
    unsafe cintrinsics_store_relaxed_64(counter(isFragmentable: true), firstNumbers.fragmentable)
    unsafe cintrinsics_store_release_32(state, 1)
  }

  private func derive(_ key: SessionKey, isSenderOutbound: Bool, at offset: Int) {
    var nonce = [UInt8](repeating: 0, count: 16)
    nonce[0] = isSenderOutbound ? 0x80 : 0
    unsafe key.secret.withBytes { bytes in
      let output = unsafe (record + offset).assumingMemoryBound(to: UInt8.self)
      _ = unsafe crypto_core_hsalsa20(output, nonce, bytes, nil)
    }
  }

  /// Withdraws the session and zeroes everything of it.
  func clear() {
    unsafe cintrinsics_store_release_32(state, 0)
    cintrinsics_fence_full()
    unsafe sodium_memzero(record, SessionSlot.recordLength)
    unsafe windows.initializeMemory(
      as: UInt8.self, repeating: 0, count: SessionSlot.windowsLength)
  }

  // MARK: Numbers

  /// The next number of datagrams of this kind as it is sent; nil if all were given out.
  @inline(__always)
  func takeNumber(isFragmentable: Bool) -> UInt64? {
    let counter = unsafe counter(isFragmentable: isFragmentable)
    let number = unsafe cintrinsics_fetch_add_relaxed_64(counter, 1)
    guard number < SharedReplayWindow.numberLimit else { return nil }
    return isFragmentable ? number : number | SessionSlot.unfragmentableBit
  }

  /// Whether a number as it was sent is new; from now on it is not.
  @inline(__always)
  func accept(_ bits: UInt64) -> Bool {
    let isUnfragmentable = bits & SessionSlot.unfragmentableBit != 0
    let offset = isUnfragmentable ? 0 : SharedReplayWindow.length
    let window = unsafe SharedReplayWindow(at: windows + offset)
    return window.accept(bits & ~SessionSlot.unfragmentableBit)
  }

  /// Set in the numbers of datagrams that must not be fragmented.
  private static let unfragmentableBit: UInt64 = 1 << 63

  @unsafe
  @inline(__always)
  private func counter(isFragmentable: Bool) -> UnsafeMutablePointer<UInt64> {
    let offset = SessionSlot.countersOffset + (isFragmentable ? 8 : 0)
    return unsafe (record + offset).assumingMemoryBound(to: UInt64.self)
  }
}

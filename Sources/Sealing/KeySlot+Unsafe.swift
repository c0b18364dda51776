// SPDX-License-Identifier: Apache-2.0

internal import CCiphers
internal import CIntrinsics
internal import CSodium
internal import Glibc

/// A key's place in the table of `FrameKeys`: a record with the key and its counters, and the
/// replay windows, which lie behind the records of all keys.
///
/// Of secretbox the key is the subkey of its direction, of AES-256-GCM the expanded key. A slot
/// that is not in use is all zeros. What all workers write has a cache line of its own.
///
/// Why this is sound: `KeyTable` makes slots only of numbers within the table, and the table has
/// `recordLength` bytes for the record and `windowsLength` for the windows of each. Offsets below
/// stay within these, and words are at multiples of their size.
@safe
struct KeySlot: BitwiseCopyable {
  /// Whole cache lines.
  static let recordLength = 1152
  /// One window for each kind of datagram; ESP has one kind.
  static let windowsLength = 2 * SharedReplayWindow.length

  private static let saltOffset = 8
  private static let keyOffset = 64
  private static let keyLength = 1008
  private static let wordsOffset = 1088

  /// The words that workers write.
  private enum Word: Int {
    case unfragmentable, fragmentable, sealed, opened, notAuthentic, replayed, newest
  }

  private let record: UnsafeMutableRawPointer
  private let windows: UnsafeMutableRawPointer

  @unsafe
  @inline(__always)
  init(record: UnsafeMutableRawPointer, windows: UnsafeMutableRawPointer) {
    unsafe self.record = record
    unsafe self.windows = windows
  }

  // MARK: Key

  /// 32 bytes, of AES-256-GCM the expanded key.
  @unsafe
  @inline(__always)
  var key: UnsafePointer<UInt8> {
    unsafe UnsafePointer((record + KeySlot.keyOffset).assumingMemoryBound(to: UInt8.self))
  }

  /// The first 4 bytes of nonces.
  @inline(__always)
  var salt: UInt32 { unsafe record.load(fromByteOffset: KeySlot.saltOffset, as: UInt32.self) }

  /// Whether a byte of the secrets is not zero.
  var hasSecrets: Bool {
    (KeySlot.saltOffset..<KeySlot.keyOffset + KeySlot.keyLength).contains {
      unsafe record.load(fromByteOffset: $0, as: UInt8.self) != 0
    }
  }

  // MARK: Life

  /// What key there is; if there is one, it can be read.
  @inline(__always)
  var attributes: KeyAttributes {
    let word = unsafe record.assumingMemoryBound(to: UInt64.self)
    return KeyAttributes(bits: unsafe cintrinsics_load_acquire_64(word))
  }

  private func publish(_ attributes: KeyAttributes) {
    let word = unsafe record.assumingMemoryBound(to: UInt64.self)
    unsafe cintrinsics_store_release_64(word, attributes.bits)
  }

  /// Fills the slot in and lets everybody see it.
  func fill(_ key: FrameKey, _ firstNumbers: FrameKeys.FirstNumbers) {
    // Where the limit on locked memory forbids it, the key may be swapped out.
    unsafe mlock(record, KeySlot.recordLength)
    unsafe key.secret.withBytes { bytes in
      let place = unsafe record + KeySlot.keyOffset
      if key.suite == .aes256gcm {
        unsafe cciphers_aes256gcm_expand(bytes, place)
      } else {
        unsafe place.copyMemory(from: bytes, byteCount: SessionKey.length)
      }
    }
    unsafe key.salt.withBytes { bytes in
      unsafe (record + KeySlot.saltOffset).copyMemory(from: bytes, byteCount: 4)
    }
    unsafe cintrinsics_store_relaxed_64(word(.unfragmentable), firstNumbers.unfragmentable)
    unsafe cintrinsics_store_relaxed_64(word(.fragmentable), firstNumbers.fragmentable)
    publish(KeyAttributes(key))
  }

  /// Withdraws the key and zeroes everything of it.
  func clear() {
    let hasWindows = attributes.opens
    publish(.none)
    cintrinsics_fence_full()
    unsafe sodium_memzero(record, KeySlot.recordLength)
    // The kernel takes the pages of the windows back; what is mapped there then is zero.
    guard hasWindows, unsafe madvise(windows, KeySlot.windowsLength, MADV_REMOVE) != 0 else {
      return
    }
    unsafe windows.initializeMemory(as: UInt8.self, repeating: 0, count: KeySlot.windowsLength)
  }

  // MARK: Numbers

  /// Takes numbers in a row and returns the first.
  ///
  /// Those from `limit` on are not to be used.
  @inline(__always)
  func takeNumbers(_ count: Int, isFragmentable: Bool, limit: UInt64) -> UInt64 {
    let counter = unsafe word(isFragmentable ? .fragmentable : .unfragmentable)
    // A counter at its end stays near it, however often it is asked.
    guard unsafe cintrinsics_load_relaxed_64(counter) < limit else { return limit }
    return unsafe cintrinsics_fetch_add_relaxed_64(counter, UInt64(count))
  }

  /// Whether a number is new; from now on it is not.
  @inline(__always)
  func accept(_ number: UInt64, isFragmentable: Bool) -> Bool {
    let offset = isFragmentable ? SharedReplayWindow.length : 0
    return unsafe SharedReplayWindow(at: windows + offset).accept(number)
  }

  /// The highest number that was accepted.
  @inline(__always)
  var newest: UInt64 { unsafe cintrinsics_load_relaxed_64(word(.newest)) }

  // MARK: Counts

  /// Counts packets that were sealed.
  @inline(__always)
  func noteSealed(_ count: UInt64) { add(count, to: .sealed) }

  /// Counts packets that were opened or not, and the newest number that was accepted.
  @inline(__always)
  func note(_ tally: OpeningTally) {
    add(tally.opened, to: .opened)
    add(tally.notAuthentic, to: .notAuthentic)
    add(tally.replayed, to: .replayed)
    let word = unsafe word(.newest)
    var current = unsafe cintrinsics_load_relaxed_64(word)
    while current < tally.newest {
      let found = unsafe cintrinsics_compare_exchange_relaxed_64(word, current, tally.newest)
      guard found != current else { return }
      current = found
    }
  }

  @inline(__always)
  private func add(_ count: UInt64, to word: Word) {
    guard count > 0 else { return }
    unsafe cintrinsics_add_relaxed_64(self.word(word), count)
  }

  /// What was done with the key; zeros if there is none.
  var counts: KeyCounts {
    let attributes = attributes
    var counts = KeyCounts()
    guard attributes.isInUse else { return counts }
    counts.sealed = value(.sealed)
    counts.opened = value(.opened)
    counts.notAuthentic = value(.notAuthentic)
    counts.replayed = value(.replayed)
    let next = min(max(value(.unfragmentable), value(.fragmentable)), attributes.numberLimit)
    counts.newestNumber = attributes.seals ? max(next, 1) - 1 : value(.newest)
    return counts
  }

  private func value(_ word: Word) -> UInt64 {
    unsafe cintrinsics_load_relaxed_64(self.word(word))
  }

  @unsafe
  @inline(__always)
  private func word(_ word: Word) -> UnsafeMutablePointer<UInt64> {
    let offset = KeySlot.wordsOffset + word.rawValue * 8
    return unsafe (record + offset).assumingMemoryBound(to: UInt64.self)
  }
}

/// What came of packets that had one key.
struct OpeningTally: BitwiseCopyable {
  var opened: UInt64 = 0
  var notAuthentic: UInt64 = 0
  var replayed: UInt64 = 0
  /// The highest number that was accepted, before these packets and with them.
  var newest: UInt64

  @inline(__always)
  mutating func note(_ outcome: SealingBatch.Outcome) {
    switch outcome {
    case .done: opened &+= 1
    case .replayed: replayed &+= 1
    default: notAuthentic &+= 1
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CSodium

/// Bytes that are nowhere else and are zeroed in the end.
///
/// They lie in memory from `sodium_malloc`: not in a core dump, between pages that nobody may
/// touch, and not swapped out as long as the process may lock memory. Where the kernel gives no
/// such memory they lie in the heap.
///
/// Why this is sound: `memory` is allocated by the initialiser and freed by `deinit` and nowhere
/// else, so it is there as long as a reference is held; `withBytes` holds one while it lends the
/// bytes. They are written before the initialiser returns and never after it, except for `wipe`,
/// which only `deinit` and a test call, so that threads may read them at the same time.
@safe
final class SecretBytes: @unchecked Sendable, Equatable {
  private let memory: UnsafeMutablePointer<UInt8>
  /// How many there are.
  let count: Int
  private let isGuarded: Bool

  /// Zeros, to be filled before anybody else knows of them.
  private init(count: Int, isGuarded: Bool) {
    precondition(SecretBytes.isLibraryReady, "libsodium finds no random numbers on this machine")
    self.count = count
    if isGuarded, let address = unsafe sodium_malloc(count) {
      unsafe memory = address.bindMemory(to: UInt8.self, capacity: count)
      self.isGuarded = true
    } else {
      unsafe memory = .allocate(capacity: count)
      self.isGuarded = false
    }
    wipe()
  }

  /// Copies `bytes`; without `isGuarded` into the heap.
  convenience init(_ bytes: [UInt8], isGuarded: Bool = true) {
    self.init(count: bytes.count, isGuarded: isGuarded)
    for (index, byte) in bytes.enumerated() { unsafe memory[index] = byte }
  }

  /// Draws bytes.
  convenience init(count: Int, random: inout some RandomNumberGenerator) {
    self.init(count: count, isGuarded: true)
    for index in 0..<count { unsafe memory[index] = random.next() }
  }

  /// Has `fill` write `count` bytes.
  @unsafe
  convenience init(count: Int, fill: (UnsafeMutablePointer<UInt8>) -> Void) {
    self.init(count: count, isGuarded: true)
    unsafe fill(memory)
  }

  deinit {
    wipe()
    if isGuarded {
      unsafe sodium_free(memory)
    } else {
      unsafe memory.deallocate()
    }
  }

  /// Whether the library found its random numbers; it picks the fastest code for this machine too.
  private static let isLibraryReady = sodium_init() >= 0

  /// Zeroes the bytes, in a way that the compiler does not leave out.
  func wipe() {
    unsafe sodium_memzero(memory, count)
  }

  /// Lends the bytes, `count` of them.
  @unsafe
  func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    withExtendedLifetime(self) { unsafe body(memory) }
  }

  /// Compares without stopping at the first difference.
  static func == (left: SecretBytes, right: SecretBytes) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe left.withBytes { mine in
      unsafe right.withBytes { theirs in
        unsafe sodium_memcmp(mine, theirs, left.count) == 0
      }
    }
  }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
  /// That there are some.
  var description: String { "SecretBytes(hidden)" }

  /// A mirror without children.
  var customMirror: Mirror { Mirror(self, children: []) }
}

/// Curve25519 and SHA-256 as `KeyPair` and `SessionKey` need them.
///
/// Why this is sound: every call of the library is given memory of exactly the lengths that it
/// reads and writes, checked before; `SecretBytes` lends both sides for the time of the call.
extension SecretBytes {
  /// The public key that belongs to these 32 bytes.
  func curvePoint() -> [UInt8] {
    var point = [UInt8](repeating: 0, count: KeyPair.keyLength)
    unsafe withBytes { scalar in unsafe _ = crypto_scalarmult_base(&point, scalar) }
    return point
  }

  /// NaCl's precomputed key for these 32 bytes and the other end's point.
  ///
  /// Returns nil if the point has not 32 bytes or leads to zero, whatever the bytes are.
  func shared(with point: [UInt8]) -> SecretBytes? {
    guard point.count == KeyPair.keyLength else { return nil }
    let shared = SecretBytes(count: SessionKey.length, isGuarded: true)
    let status = unsafe withBytes { scalar in
      unsafe crypto_box_beforenm(shared.memory, point, scalar)
    }
    return status == 0 ? shared : nil
  }

  /// SHA-256 of these bytes and then the other ones.
  func digest(followedBy tail: SecretBytes) -> SecretBytes {
    let digest = SecretBytes(count: SessionKey.length, isGuarded: true)
    var state = crypto_hash_sha256_state()
    unsafe crypto_hash_sha256_init(&state)
    for part in [self, tail] {
      unsafe part.withBytes { bytes in
        unsafe _ = crypto_hash_sha256_update(&state, bytes, UInt64(part.count))
      }
    }
    unsafe crypto_hash_sha256_final(&state, digest.memory)
    unsafe sodium_memzero(&state, MemoryLayout<crypto_hash_sha256_state>.size)
    return digest
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CCiphers

/// Seals or opens packets with one key, where they are.
///
/// Nonces of AES-256-GCM and ChaCha20-Poly1305 are the key's salt and 8 bytes of the packet: the
/// number of a datagram, ESP's IV. Authenticated besides the text are the sender's name, or ESP's
/// SPI and number.
///
/// Why this is sound: the caller lends the scratch, and of each packet `count` bytes, at least the
/// overhead of the key's layout; all offsets are within that, and all lengths derived from it. The
/// slot's key has the length that its suite reads.
@unsafe
struct PacketCipher {
  private let slot: KeySlot
  private let attributes: KeyAttributes
  private let scratch: PacketScratch

  @inline(__always)
  init(_ slot: KeySlot, _ attributes: KeyAttributes, _ scratch: PacketScratch) {
    unsafe self.slot = slot
    unsafe self.attributes = attributes
    unsafe self.scratch = scratch
    unsafe scratch.nonce.storeBytes(of: slot.salt, as: UInt32.self)
  }

  // MARK: Sealing

  /// Writes the number and what else the layout has before the text, encrypts it, writes the tag.
  @inline(__always)
  func seal(_ packet: UnsafeMutableRawPointer, count: Int, number: UInt64, isFragmentable: Bool) {
    if unsafe attributes.isESP {
      unsafe sealESP(packet, count: count, number: number)
    } else {
      unsafe sealSleeve(packet, count: count, number: number, isFragmentable: isFragmentable)
    }
  }

  @inline(__always)
  private func sealSleeve(
    _ packet: UnsafeMutableRawPointer, count: Int, number: UInt64, isFragmentable: Bool
  ) {
    // The identifier of secretbox is 0.
    let identifier = unsafe UInt64(attributes.identifier)
    let bits =
      number | identifier << PacketLayout.identifierShift
      | (isFragmentable ? 0 : PacketLayout.unfragmentableBit)
    unsafe packet.storeBytes(
      of: bits.bigEndian, toByteOffset: PacketLayout.numberOffset, as: UInt64.self)
    if unsafe attributes.isSecretbox {
      unsafe SecretBoxPacket(packet, count: count, key: slot.key, scratch).seal()
    } else {
      unsafe seal(sleeveParts(packet, count: count, bits))
    }
  }

  @inline(__always)
  private func sealESP(_ packet: UnsafeMutableRawPointer, count: Int, number: UInt64) {
    let identifier = unsafe attributes.identifier
    unsafe packet.storeBytes(of: identifier.bigEndian, as: UInt32.self)
    unsafe packet.storeBytes(
      of: UInt32(truncatingIfNeeded: number).bigEndian,
      toByteOffset: PacketLayout.lowHalfOffset, as: UInt32.self)
    unsafe packet.storeBytes(
      of: number.bigEndian, toByteOffset: PacketLayout.vectorOffset, as: UInt64.self)
    unsafe seal(espParts(packet, count: count, number))
  }

  @inline(__always)
  private func seal(_ parts: Parts) {
    if unsafe attributes.suite == .aes256gcm {
      unsafe cciphers_aes256gcm_seal(
        slot.key, parts.nonce, parts.associated, parts.associatedLength, parts.text, parts.length,
        parts.tag)
    } else {
      unsafe cciphers_chacha20poly1305_seal(
        slot.key, parts.nonce, parts.associated, parts.associatedLength, parts.text, parts.length,
        parts.tag)
    }
  }

  // MARK: Opening

  /// Decrypts the text if the tag is right and the number new; `newest` is the newest number that
  /// was accepted, with this packet's in the end.
  @inline(__always)
  func open(
    _ packet: UnsafeMutableRawPointer, count: Int, newest: inout UInt64
  ) -> SealingBatch.Outcome {
    if unsafe attributes.isESP {
      return unsafe openESP(packet, count: count, newest: &newest)
    }
    let bits = unsafe UInt64(
      bigEndian: packet.loadUnaligned(
        fromByteOffset: PacketLayout.numberOffset, as: UInt64.self))
    let isFragmentable = bits & PacketLayout.unfragmentableBit == 0
    if unsafe attributes.isSecretbox {
      let box = unsafe SecretBoxPacket(packet, count: count, key: slot.key, scratch)
      let number = bits & ~PacketLayout.unfragmentableBit
      guard unsafe box.isAuthentic() else { return .notAuthentic }
      guard unsafe accept(number, isFragmentable, &newest) else { return .replayed }
      unsafe box.decrypt()
      return .done
    }
    guard unsafe open(sleeveParts(packet, count: count, bits)) else { return .notAuthentic }
    let number = bits & PacketLayout.countMask
    return unsafe accept(number, isFragmentable, &newest) ? .done : .replayed
  }

  @inline(__always)
  private func openESP(
    _ packet: UnsafeMutableRawPointer, count: Int, newest: inout UInt64
  ) -> SealingBatch.Outcome {
    let low = unsafe UInt32(
      bigEndian: packet.loadUnaligned(
        fromByteOffset: PacketLayout.lowHalfOffset, as: UInt32.self))
    let number = ExtendedNumber.full(low: low, newest: newest)
    guard unsafe open(espParts(packet, count: count, number)) else { return .notAuthentic }
    // Numbers begin with 1 (RFC 4303, 2.2).
    return unsafe number > 0 && accept(number, false, &newest) ? .done : .replayed
  }

  @inline(__always)
  private func open(_ parts: Parts) -> Bool {
    if unsafe attributes.suite == .aes256gcm {
      return unsafe cciphers_aes256gcm_open(
        slot.key, parts.nonce, parts.associated, parts.associatedLength, parts.text, parts.length,
        parts.tag)
    }
    return unsafe cciphers_chacha20poly1305_open(
      slot.key, parts.nonce, parts.associated, parts.associatedLength, parts.text, parts.length,
      parts.tag)
  }

  @inline(__always)
  private func accept(_ number: UInt64, _ isFragmentable: Bool, _ newest: inout UInt64) -> Bool {
    guard unsafe slot.accept(number, isFragmentable: isFragmentable) else { return false }
    newest = max(newest, number)
    return true
  }

  // MARK: What the ciphers are given

  private typealias Bytes = UnsafeMutablePointer<UInt8>

  @unsafe
  private struct Parts {
    let nonce: Bytes
    let associated: Bytes
    let associatedLength: UInt64
    let text: Bytes
    let length: UInt64
    let tag: Bytes
  }

  @inline(__always)
  private func sleeveParts(
    _ packet: UnsafeMutableRawPointer, count: Int, _ bits: UInt64
  ) -> Parts {
    let bytes = unsafe packet.assumingMemoryBound(to: UInt8.self)
    return unsafe Parts(
      nonce: nonce(bits.bigEndian), associated: bytes,
      associatedLength: UInt64(PacketLayout.nameLength),
      text: bytes + PacketLayout.sleeveOverhead,
      length: UInt64(count - PacketLayout.sleeveOverhead), tag: bytes + PacketLayout.tagOffset)
  }

  @inline(__always)
  private func espParts(
    _ packet: UnsafeMutableRawPointer, count: Int, _ number: UInt64
  ) -> Parts {
    let bytes = unsafe packet.assumingMemoryBound(to: UInt8.self)
    let vector = unsafe packet.loadUnaligned(
      fromByteOffset: PacketLayout.vectorOffset, as: UInt64.self)
    // The SPI, and the number with the half that is not sent (RFC 4106, 5).
    let associated = unsafe scratch.associated
    unsafe associated.storeBytes(of: attributes.identifier.bigEndian, as: UInt32.self)
    unsafe associated.storeBytes(of: number.bigEndian, toByteOffset: 4, as: UInt64.self)
    return unsafe Parts(
      nonce: nonce(vector), associated: associated.assumingMemoryBound(to: UInt8.self),
      associatedLength: 12, text: bytes + PacketLayout.espTextOffset,
      length: UInt64(count - PacketLayout.espOverhead),
      tag: bytes + (count - PacketLayout.tagLength))
  }

  /// The salt, which is there already, and 8 bytes as they are sent.
  @inline(__always)
  private func nonce(_ vector: UInt64) -> Bytes {
    unsafe scratch.nonce.storeBytes(of: vector, toByteOffset: 4, as: UInt64.self)
    return unsafe scratch.nonce.assumingMemoryBound(to: UInt8.self)
  }
}

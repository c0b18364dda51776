// SPDX-License-Identifier: Apache-2.0

/// Packets of a batch in memory, to be sealed or opened key by key.
///
/// Why this is sound: the caller lends memory and scratch for the time of a call. Only packets that
/// lie within the memory, and are as long as their key's layout demands, get to `PacketCipher`.
@unsafe
struct SealingPass {
  private let table: KeyTable
  private let memory: UnsafeMutableRawBufferPointer
  private let scratch: PacketScratch

  @inline(__always)
  init(_ table: KeyTable, _ memory: UnsafeMutableRawBufferPointer, _ scratch: PacketScratch) {
    unsafe self.table = table
    unsafe self.memory = memory
    unsafe self.scratch = scratch
  }

  @inline(__always)
  private func isWithin(_ packet: SealingBatch.Packet) -> Bool {
    unsafe Int(packet.offset) + Int(packet.length) <= memory.count
  }

  /// The first byte of a packet that is within the memory and has some.
  @inline(__always)
  private func address(of packet: SealingBatch.Packet) -> UnsafeMutableRawPointer {
    unsafe memory.baseAddress.unsafelyUnwrapped + Int(packet.offset)
  }

  // MARK: Sealing

  /// Seals all packets that nothing came of yet.
  ///
  /// Inlined, since the compiler makes one of two functions that differ in what they call, and
  /// calls through a pointer.
  @inline(__always)
  func seal(_ batch: inout SealingBatch) {
    var rows = PacketRows()
    for row in 0..<batch.count where batch.outcome(of: row) == .pending {
      let packet = batch[row]
      let attributes = unsafe table.attributes(at: packet.key)
      if !attributes.seals {
        batch.note(.keyMissing, of: row)
      } else if unsafe !isWithin(packet) || Int(packet.length) < attributes.overhead {
        batch.note(.malformed, of: row)
      } else {
        let isFragmentable = packet.isFragmentable && !attributes.isESP
        rows.append(row, mark: UInt32(packet.key) << 1 | (isFragmentable ? 1 : 0))
      }
    }
    while let group = rows.takeGroup() { unsafe seal(group, &batch) }
  }

  private func seal(_ group: PacketRows.Group, _ batch: inout SealingBatch) {
    var group = group
    let slot = unsafe table.slot(at: UInt16(truncatingIfNeeded: group.mark >> 1))
    let attributes = slot.attributes
    let isFragmentable = group.mark & 1 != 0
    let cipher = unsafe PacketCipher(slot, attributes, scratch)
    // A key that is gone since the look at its place has no numbers left.
    let limit = attributes.seals ? attributes.numberLimit : 0
    var number = slot.takeNumbers(group.count, isFragmentable: isFragmentable, limit: limit)
    var sealedCount: UInt64 = 0
    while let row = group.next() {
      guard number < limit else {
        batch.note(.exhausted, of: row)
        continue
      }
      let packet = batch[row]
      unsafe cipher.seal(
        address(of: packet), count: Int(packet.length), number: number,
        isFragmentable: isFragmentable)
      batch.note(.done, of: row)
      number &+= 1
      sealedCount &+= 1
    }
    slot.noteSealed(sealedCount)
  }

  // MARK: Opening

  /// Opens all packets that nothing came of yet.
  ///
  /// Inlined, since the compiler makes one of two functions that differ in what they call, and
  /// calls through a pointer.
  @inline(__always)
  func open(_ batch: inout SealingBatch) {
    var rows = PacketRows()
    for row in 0..<batch.count where batch.outcome(of: row) == .pending {
      let packet = batch[row]
      guard unsafe isWithin(packet) else {
        batch.note(.malformed, of: row)
        continue
      }
      let place = unsafe place(of: packet)
      guard place != FrameKeys.none else {
        batch.note(unsafe isTooShort(packet) ? .malformed : .keyMissing, of: row)
        continue
      }
      rows.append(row, mark: UInt32(place))
    }
    while let group = rows.takeGroup() { unsafe open(group, &batch) }
  }

  private func open(_ group: PacketRows.Group, _ batch: inout SealingBatch) {
    var group = group
    let slot = unsafe table.slot(at: UInt16(truncatingIfNeeded: group.mark))
    let attributes = slot.attributes
    let cipher = unsafe PacketCipher(slot, attributes, scratch)
    var tally = OpeningTally(newest: slot.newest)
    while let row = group.next() {
      // It may be gone since the look at its place.
      guard attributes.opens else {
        batch.note(.keyMissing, of: row)
        continue
      }
      let packet = batch[row]
      let outcome = unsafe cipher.open(
        address(of: packet), count: Int(packet.length), newest: &tally.newest)
      batch.note(outcome, of: row)
      tally.note(outcome)
    }
    if attributes.opens { slot.note(tally) }
  }

  // MARK: Which key

  /// The place of the key that a packet says it is sealed with; `FrameKeys.none` if that is none
  /// of the two it may be sealed with.
  ///
  /// Nothing in a packet says that it is sealed by secretbox, which is taken if no identifier fits.
  @inline(__always)
  private func place(of packet: SealingBatch.Packet) -> UInt16 {
    let current = unsafe table.attributes(at: packet.key)
    if unsafe isNamed(current, by: packet) { return packet.key }
    let former = unsafe table.attributes(at: packet.formerKey)
    if unsafe isNamed(former, by: packet) { return packet.formerKey }
    if unsafe isPossible(current, for: packet), current.isSecretbox { return packet.key }
    if unsafe isPossible(former, for: packet), former.isSecretbox { return packet.formerKey }
    return FrameKeys.none
  }

  /// Whether there is a key that opens, and the packet is long enough for its layout.
  @inline(__always)
  private func isPossible(_ key: KeyAttributes, for packet: SealingBatch.Packet) -> Bool {
    key.opens && Int(packet.length) >= key.overhead
  }

  /// Whether the packet has the identifier of a key.
  @inline(__always)
  private func isNamed(_ key: KeyAttributes, by packet: SealingBatch.Packet) -> Bool {
    guard unsafe isPossible(key, for: packet), !key.isSecretbox else { return false }
    let address = unsafe address(of: packet)
    if key.isESP {
      return unsafe UInt32(bigEndian: address.loadUnaligned(as: UInt32.self)) == key.identifier
    }
    let number = unsafe UInt64(
      bigEndian: address.loadUnaligned(
        fromByteOffset: PacketLayout.numberOffset, as: UInt64.self))
    let identifier = number >> PacketLayout.identifierShift & PacketLayout.identifierMask
    return identifier == UInt64(key.identifier)
  }

  /// Whether there are keys, but the packet is too short for any of them.
  private func isTooShort(_ packet: SealingBatch.Packet) -> Bool {
    let current = unsafe table.attributes(at: packet.key)
    let former = unsafe table.attributes(at: packet.formerKey)
    guard current.opens || former.opens else { return false }
    return unsafe !isPossible(current, for: packet) && !isPossible(former, for: packet)
  }
}

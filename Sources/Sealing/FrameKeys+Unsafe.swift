// SPDX-License-Identifier: Apache-2.0

internal import CCiphers
internal import Glibc
internal import Synchronization
internal import Tables

/// Keys, counters and replay windows of all links, shared by all workers without locks.
///
/// One thread adds and removes keys; any thread seals and opens, several of them at the same time
/// with one key. No number is given out twice, and nothing is opened twice
/// (`SharedReplayWindow` says how late a packet may be).
///
/// Why this is sound: `table` is made of `memory`, which lives as long as this object. Words that
/// several threads write are touched by atomic accesses only. A key is written before `add`
/// publishes the slot and after `remove` withdrew it, when by its contract nobody comes across it.
/// Spans stay valid during a call.
@safe
public final class FrameKeys: @unchecked Sendable {
  /// Keys at a time.
  public static let capacity = 4096
  /// Stands for no key.
  public static let none: UInt16 = .max

  private let memory: MappedMemory?
  private let table: KeyTable?
  private let places = Mutex(Places())
  private let hasAES: Bool

  /// Which slots are free: never used, or returned.
  private struct Places {
    var neverUsed = 0
    var returned: [UInt16] = []

    mutating func take() -> UInt16? {
      if let place = returned.popLast() { return place }
      guard neverUsed < FrameKeys.capacity else { return nil }
      defer { neverUsed += 1 }
      return UInt16(neverUsed)
    }
  }

  /// Maps the table; without memory from the kernel there is room for no key.
  ///
  /// Pages that no key has used take no memory. Those with keys are in no core dump, and not
  /// swapped out as long as the process may lock them.
  public convenience init() { self.init(hasAES: cciphers_has_aes()) }

  /// Maps the table; without `hasAES` as on a processor that has none.
  init(hasAES: Bool) {
    self.hasAES = hasAES
    memory = try? MappedMemory(length: KeyTable.length, name: "frame-keys")
    guard let memory else {
      table = nil
      return
    }
    unsafe madvise(memory.base, KeyTable.recordsLength, MADV_DONTDUMP)
    table = unsafe KeyTable(at: memory.base)
  }

  deinit {
    for place in 0..<places.withLock({ $0.neverUsed }) { slot(at: UInt16(place))?.clear() }
  }

  // MARK: For the control plane

  /// Adds a key; nil if there are too many.
  ///
  /// It is nil as well for a key of `aes256gcm` where that is not available.
  public func add(_ key: FrameKey) -> UInt16? {
    let first: UInt64 = key.layout == .esp ? 1 : 0
    return add(key, firstNumbers: FirstNumbers(unfragmentable: first, fragmentable: 0))
  }

  /// The numbers that a key begins with; ESP's is the first of them.
  struct FirstNumbers {
    var unfragmentable: UInt64 = 0
    var fragmentable: UInt64 = 0
  }

  /// Adds a key whose first numbers are others.
  func add(_ key: FrameKey, firstNumbers: FirstNumbers) -> UInt16? {
    guard let table, hasAES || key.suite != .aes256gcm,
      let place = places.withLock({ $0.take() })
    else { return nil }
    table.slot(at: place).fill(key, firstNumbers)
    return place
  }

  /// Removes a key and zeroes it; to be called when no worker can come across it any more.
  public func remove(_ place: UInt16) {
    guard let slot = slot(at: place), slot.attributes.isInUse else { return }
    slot.clear()
    places.withLock { $0.returned.append(place) }
  }

  /// What was done with the key at a place; zeros if there is none.
  public func counts(of place: UInt16) -> KeyCounts { slot(at: place)?.counts ?? KeyCounts() }

  /// A place in the table, in use or not; nil if there is none of this number.
  func slot(at place: UInt16) -> KeySlot? {
    place < FrameKeys.capacity ? table?.slot(at: place) : nil
  }

  // MARK: For the workers

  /// Seals the packets of a batch where they are in `memory`: writes number and tag, of ESP the SPI
  /// and the IV as well, and encrypts the text.
  ///
  /// Packets of a batch that have the same key are sealed together, with numbers in a row in their
  /// order. Whatever is not sealed stays as it was. Packets that something came of already are left
  /// alone.
  @_lifetime(memory: copy memory)
  public func seal(_ batch: inout SealingBatch, in memory: inout MutableSpan<UInt8>) {
    guard let table else { return refuse(&batch) }
    unsafe memory.withUnsafeMutableBytes { bytes in
      unsafe PacketScratch.withScratch { scratch in
        unsafe SealingPass(table, bytes, scratch).seal(&batch)
      }
    }
  }

  /// Opens the packets of a batch where they are in `memory`, each once.
  ///
  /// Of `key` and `formerKey` each packet says by which it is opened: by its identifier, or if that
  /// is of neither, the one of secretbox. The text of one that does not open is not to be used.
  /// Packets that something came of already are left alone.
  @_lifetime(memory: copy memory)
  public func open(_ batch: inout SealingBatch, in memory: inout MutableSpan<UInt8>) {
    guard let table else { return refuse(&batch) }
    unsafe memory.withUnsafeMutableBytes { bytes in
      unsafe PacketScratch.withScratch { scratch in
        unsafe SealingPass(table, bytes, scratch).open(&batch)
      }
    }
  }

  private func refuse(_ batch: inout SealingBatch) {
    for row in 0..<batch.count where batch.outcome(of: row) == .pending {
      batch.note(.keyMissing, of: row)
    }
  }
}

extension FrameKeys: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// That there are some.
  public var description: String { "FrameKeys(hidden)" }

  /// That there are some.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

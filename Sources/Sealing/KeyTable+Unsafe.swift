// SPDX-License-Identifier: Apache-2.0

/// The memory of `FrameKeys`: the records of all keys, then their windows.
///
/// Why this is sound: whoever makes a table hands in `length` bytes that stay mapped as long as it
/// is used; slots are made only of places below `FrameKeys.capacity`.
@safe
struct KeyTable: BitwiseCopyable {
  /// Bytes of all records, whole pages of them.
  static let recordsLength = FrameKeys.capacity * KeySlot.recordLength
  /// Bytes of the table.
  static let length = recordsLength + FrameKeys.capacity * KeySlot.windowsLength

  private let base: UnsafeMutableRawPointer

  @unsafe
  init(at base: UnsafeMutableRawPointer) { unsafe self.base = base }

  /// A place in the table, in use or not; there must be one of this number.
  @inline(__always)
  func slot(at place: UInt16) -> KeySlot {
    precondition(place < FrameKeys.capacity, "there is no such place")
    let windows = unsafe base + KeyTable.recordsLength + Int(place) * KeySlot.windowsLength
    return unsafe KeySlot(record: base + Int(place) * KeySlot.recordLength, windows: windows)
  }

  /// What key is at a place, which may be any number.
  @inline(__always)
  func attributes(at place: UInt16) -> KeyAttributes {
    place < FrameKeys.capacity ? slot(at: place).attributes : .none
  }
}

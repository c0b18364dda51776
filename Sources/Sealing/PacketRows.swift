// SPDX-License-Identifier: Apache-2.0

/// Rows of a batch that wait for their turn, each with what it has in common with others.
struct PacketRows {
  /// Rows of a group at most, so that few numbers are lost with a thread that is put aside.
  static let groupCapacity = 32

  private var waiting: UInt64 = 0
  private var marks = [64 of UInt32](repeating: 0)

  /// A row that waits.
  @inline(__always)
  mutating func append(_ row: Int, mark: UInt32) {
    marks[row] = mark
    waiting |= 1 << UInt64(truncatingIfNeeded: row)
  }

  /// Takes the first row and those behind it with its mark; nil if none waits.
  @inline(__always)
  mutating func takeGroup() -> Group? {
    guard waiting != 0 else { return nil }
    let first = waiting.trailingZeroBitCount
    var group = Group(mark: marks[first])
    var candidates = waiting
    while candidates != 0, group.count < PacketRows.groupCapacity {
      let row = candidates.trailingZeroBitCount
      candidates &= candidates &- 1
      guard marks[row] == group.mark else { continue }
      group.rows |= 1 << UInt64(truncatingIfNeeded: row)
      group.count &+= 1
    }
    waiting &= ~group.rows
    return group
  }

  /// Rows with the same mark.
  struct Group: BitwiseCopyable {
    let mark: UInt32
    /// How many were in it when it was taken.
    fileprivate(set) var count = 0
    fileprivate var rows: UInt64 = 0

    fileprivate init(mark: UInt32) { self.mark = mark }

    /// Takes the next row out.
    @inline(__always)
    mutating func next() -> Int? {
      guard rows != 0 else { return nil }
      defer { rows &= rows &- 1 }
      return rows.trailingZeroBitCount
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Tables

/// How many pages a change of a paged table may take, so that it can be refused beforehand.
///
/// Follows `PagedTable`: a change copies a leaf and a directory; a table whose leaves are half full
/// doubles them first. It follows the count of keys alone, so it may expect a doubling too many
/// only if the table refused one, and never one too few.
struct PageNeeds {
  /// Keys at which the table doubles.
  private var keyCountBeforeGrowth = PagedTableHeader.slotsPerLeaf / 2

  /// Pages for changing or removing a key.
  static let change = 2

  /// Pages for one more key in a table of `count`.
  func adding(to count: Int) -> Int {
    guard count >= keyCountBeforeGrowth else { return PageNeeds.change }
    let leaves = 2 * keyCountBeforeGrowth / (PagedTableHeader.slotsPerLeaf / 2)
    return PageNeeds.change + leaves + leaves / PagedTableHeader.leavesPerDirectory + 2
  }

  /// The table has `count` keys now.
  mutating func follow(count: Int) {
    while count > keyCountBeforeGrowth { keyCountBeforeGrowth *= 2 }
  }
}

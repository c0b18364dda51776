// SPDX-License-Identifier: Apache-2.0

extension Array {
  /// The first elements of all lists, then the second ones, and so on: whoever has a long list
  /// keeps nobody else waiting.
  func interleaved<Item>() -> [Item] where Element == [Item] {
    var items: [Item] = []
    items.reserveCapacity(reduce(0) { $0 + $1.count })
    var lists = self
    var place = 0
    while !lists.isEmpty {
      lists.removeAll { $0.count <= place }
      for list in lists { items.append(list[place]) }
      place += 1
    }
    return items
  }
}

// SPDX-License-Identifier: Apache-2.0

import Mesh

/// What is to happen, the earliest first; of equal moments in the order of their coming.
struct EventQueue<Event> {
  private struct Entry {
    let at: MeshInstant
    let number: UInt64
    let event: Event

    func precedes(_ other: Entry) -> Bool {
      at == other.at ? number < other.number : at < other.at
    }
  }

  private var heap: [Entry] = []
  private var count: UInt64 = 0

  /// When the first event is due.
  var firstMoment: MeshInstant? { heap.first?.at }

  mutating func insert(_ event: Event, at moment: MeshInstant) {
    count += 1
    heap.append(Entry(at: moment, number: count, event: event))
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() -> Event? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first.event }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].precedes(heap[least]) { least = child }
      if least == parent { return first.event }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}

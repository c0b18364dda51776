// SPDX-License-Identifier: Apache-2.0

import Tables

/// A header as it was published, for reading the table it leads to at any later time.
@safe
final class PublishedTable {
  private let memory: MappedMemory
  private let header: UnsafeMutablePointer<PagedTableHeader>

  init(_ header: PagedTableHeader, memory: MappedMemory) {
    self.memory = memory
    unsafe self.header = .allocate(capacity: 1)
    unsafe self.header.initialize(to: header)
  }

  deinit { unsafe header.deallocate() }

  /// Valid as long as this object is held.
  var reader: PagedTableReader {
    unsafe PagedTableReader(base: memory.base, header: header)
  }

  /// Whether the table holds just what `model` does; `absent` are keys that may not be there.
  func matches(_ model: [UInt64: UInt64], absent: some Sequence<UInt64> = []) -> Bool {
    let reader = reader
    return reader.count == model.count
      && model.allSatisfy { reader.value(for: $0.key) == $0.value }
      && absent.allSatisfy {
        model[$0] != nil || reader.value(for: $0) == PagedTableReader.missing
      }
  }
}

extension PagedTableWriter {
  /// A key whose probing starts at `slot`, the first of a cache line, of a table that still has one
  /// leaf.
  func key(startingAt slot: Int, after number: UInt64) -> UInt64 {
    var key = number + 1
    while Int(PagedTableHeader.homeSlot(header.hash(key))) != slot { key += 1 }
    return key
  }
}

func makeTable(seed: UInt64, in arena: inout PageArena) throws -> PagedTableWriter {
  guard let table = PagedTableWriter(seed: seed, arena: &arena) else { throw ArenaIsFull() }
  return table
}

// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Inet

extension ForwardingModel {
  /// Stations that are known.
  public var stationCount: Int { book.entries.count }

  /// Every known station, in order of the addresses.
  public func stations(nowSeconds: UInt64) -> [StationSummary] {
    book.entries.sorted { $0.key.bits < $1.key.bits }.map { mac, entry in
      StationSummary(
        mac: mac, location: entry.location,
        ageSeconds: StationBook.age(entry, nowSeconds: nowSeconds))
    }
  }

  /// Takes a worker's word for where a station is: learns it, moves it, or notes that it was seen.
  ///
  /// A hint about a location that was removed in between, about no station's address, or beyond a
  /// limit changes nothing and is counted as refused.
  public mutating func learn(_ hint: Hint, nowSeconds: UInt64) {
    let mac = MACAddress(bits: hint.mac)
    let known = book.entries[mac]
    if mac.bits == hint.mac, let known, known.location == hint.location {
      book.refresh(mac, nowSeconds: nowSeconds)
      return
    }
    guard mac.bits == hint.mac, mac.isStation,
      let count = book.stationCount(at: hint.location), count < options.stationCountPerLocationMax,
      store(mac, at: hint.location, known: known, nowSeconds: nowSeconds)
    else {
      counts.refused += 1
      return
    }
    if known == nil { counts.learned += 1 } else { counts.moved += 1 }
  }

  /// Takes the workers' seen marks, and forgets every station that was not seen for
  /// `Options.ageSecondsMax`; due once a minute.
  public mutating func sweep(nowSeconds: UInt64) {
    let memory = memory
    let aged = book.sweep(nowSeconds: nowSeconds, ageSecondsMax: options.ageSecondsMax) {
      memory.takeMark(entry: $0)
    }
    for mac in aged { forget(mac) }
    counts.aged += UInt64(aged.count)
  }

  /// Writes a new or moved station into snapshot and book; false, with both as they were, if there
  /// is no entry number or no page for it.
  private mutating func store(
    _ mac: MACAddress, at location: Location, known: StationBook.Entry?, nowSeconds: UInt64
  ) -> Bool {
    let inSnapshot = known != nil || book.leftovers[mac] != nil
    let pages = inSnapshot ? PageNeeds.change : stationPages.adding(to: writer.stationCount)
    guard hasPages(pages) else { return false }
    let wasLeftover = book.leftovers[mac] != nil
    guard let number = known?.number ?? book.takeNumber(for: mac) else { return false }
    isChanged = true
    guard writer.setStation(mac, Station(location: location, entry: number)) else {
      if wasLeftover { book.leaveOver(mac, number: number) }
      if !inSnapshot { book.release(number) }
      return false
    }
    stationPages.follow(count: writer.stationCount)
    // A mark left by the number's last station would make this one look busier than it is.
    if known == nil { _ = memory.takeMark(entry: number) }
    book.store(
      mac, StationBook.Entry(location: location, number: number, seenSeconds: nowSeconds))
    return true
  }

  /// Forgets a station; in the snapshot it stays a leftover if there are no pages now.
  mutating func forget(_ mac: MACAddress) {
    guard let number = book.remove(mac) else { return }
    book.leaveOver(mac, number: number)
    removeLeftover(mac)
  }

  /// Takes the leftovers out of the snapshot, as far as pages allow.
  mutating func removeLeftovers() {
    guard !book.leftovers.isEmpty else { return }
    for mac in book.leftovers.keys.sorted(by: { $0.bits < $1.bits }) {
      guard hasLastPages(PageNeeds.change) else { return }
      removeLeftover(mac)
    }
  }

  private mutating func removeLeftover(_ mac: MACAddress) {
    guard hasLastPages(PageNeeds.change) else { return }
    isChanged = true
    if writer.removeStation(mac) { book.removeLeftover(mac) }
  }
}

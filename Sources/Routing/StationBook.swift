// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet

/// Where every station is, when it was last seen, and under which entry number.
///
/// Entry numbers index the workers' seen marks, so they are dense and used again. A station that is
/// forgotten here may still be in the snapshot, because taking it out needs pages too: it is then a
/// leftover and keeps its number. The stations of the snapshot are always the known ones and the
/// leftovers together.
struct StationBook {
  /// What is known of a station.
  struct Entry {
    var location: Location
    let number: UInt32
    var seenSeconds: UInt64
  }

  /// Stations by address.
  private(set) var entries: [MACAddress: Entry] = [:]
  /// Entry numbers of stations that are forgotten but still in the snapshot.
  private(set) var leftovers: [MACAddress: UInt32] = [:]
  /// Stations at each location that exists.
  private var countsByLocation: [Location: Int] = [:]

  private let capacity: Int
  private var freeNumbers: [UInt32] = []
  /// Numbers at or above this one were never given out.
  private var untouchedNumber: UInt32 = 0

  /// An empty book with entry numbers below `capacity`.
  init(capacity: Int) {
    self.capacity = min(max(capacity, 0), Int(UInt32.max))
  }

  // MARK: Locations

  /// Stations at a location, or nil if there is no such location.
  func stationCount(at location: Location) -> Int? { countsByLocation[location] }

  /// From now on stations may be there.
  mutating func add(_ location: Location) {
    if countsByLocation[location] == nil { countsByLocation[location] = 0 }
  }

  /// From now on no station may be there; returns those to forget, in order of their addresses.
  mutating func remove(_ location: Location) -> [MACAddress] {
    guard let count = countsByLocation.removeValue(forKey: location), count > 0 else { return [] }
    return entries.filter { $0.value.location == location }.keys.sorted { $0.bits < $1.bits }
  }

  // MARK: Numbers

  /// A number for a station that is not known: that of its leftover, or a free one, or nil.
  mutating func takeNumber(for mac: MACAddress) -> UInt32? {
    if let number = leftovers.removeValue(forKey: mac) { return number }
    if let number = freeNumbers.popLast() { return number }
    guard untouchedNumber < UInt32(capacity) else { return nil }
    defer { untouchedNumber += 1 }
    return untouchedNumber
  }

  /// The number belongs to no station of the snapshot any more.
  mutating func release(_ number: UInt32) { freeNumbers.append(number) }

  /// The station is not known, but still in the snapshot with this number.
  mutating func leaveOver(_ mac: MACAddress, number: UInt32) { leftovers[mac] = number }

  /// The leftover is out of the snapshot.
  mutating func removeLeftover(_ mac: MACAddress) {
    if let number = leftovers.removeValue(forKey: mac) { release(number) }
  }

  // MARK: Stations

  /// Stores a station at a location that exists, or moves it there.
  mutating func store(_ mac: MACAddress, _ entry: Entry) {
    if let old = entries.updateValue(entry, forKey: mac) { count(old.location, by: -1) }
    count(entry.location, by: 1)
  }

  /// The station was seen where it is.
  mutating func refresh(_ mac: MACAddress, nowSeconds: UInt64) {
    guard let seen = entries[mac]?.seenSeconds else { return }
    entries[mac]?.seenSeconds = max(seen, nowSeconds)
  }

  /// Forgets a station and returns its number, which the caller releases or leaves over.
  mutating func remove(_ mac: MACAddress) -> UInt32? {
    guard let entry = entries.removeValue(forKey: mac) else { return nil }
    count(entry.location, by: -1)
    return entry.number
  }

  /// Refreshes the stations whose mark `takeMark` finds, and returns those not seen for
  /// `ageSecondsMax`, in order of their addresses.
  mutating func sweep(
    nowSeconds: UInt64, ageSecondsMax: UInt64, takeMark: (UInt32) -> Bool
  ) -> [MACAddress] {
    var aged: [MACAddress] = []
    for (mac, entry) in entries {
      if takeMark(entry.number) {
        refresh(mac, nowSeconds: nowSeconds)
      } else if StationBook.age(entry, nowSeconds: nowSeconds) >= ageSecondsMax {
        aged.append(mac)
      }
    }
    return aged.sorted { $0.bits < $1.bits }
  }

  /// Seconds since a station was seen; 0 if the time handed in went backwards.
  static func age(_ entry: Entry, nowSeconds: UInt64) -> UInt64 {
    nowSeconds > entry.seenSeconds ? nowSeconds - entry.seenSeconds : 0
  }

  /// A location that was removed has no count to keep.
  private mutating func count(_ location: Location, by change: Int) {
    countsByLocation[location]? += change
  }
}

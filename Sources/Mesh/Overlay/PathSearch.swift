// SPDX-License-Identifier: Apache-2.0

/// Finds out how long a datagram of sleeve may be on the way to one neighbour.
///
/// Lengths are those of IP packets of containers that go in one datagram. A candidate is tested by
/// frames of its length that nobody may fragment, up to eight times; the other end says which one
/// it got. What is not known to be good is used only until a test of it fails. Every ten minutes
/// the search is made again, as the way may have become wider. It may have become narrower without
/// a word, too, which heartbeats are too short to notice: so what is used is checked all the time,
/// and the search begins at once when that is not answered any more.
struct PathSearch: Sendable {
  /// What every path is taken to carry, until a test says otherwise.
  static let assumed = 552
  /// The shortest path of whose narrowness a router is believed, in bytes with all headers.
  static let pathMTUMin = 576
  /// How often a candidate is tested.
  static let tryCountMax = 8
  /// So many tests of what was proven, for 310 ms, and a router that says otherwise is believed.
  static let doubtCountMax = 5
  /// After the first test of a candidate; twice as long after each further one.
  static let firstPause = Duration.milliseconds(10)
  /// Between two searches.
  static let pause = Duration.seconds(600)
  /// Between two checks of what is used.
  static let checkPause = Duration.seconds(15)
  /// After a check that is not answered; twice as long after each further one.
  static let firstCheckPause = Duration.seconds(1)
  /// So many checks in a row without an answer begin a search.
  static let checkCountMax = 3

  /// The other end would take a test of this length for one of fragmentation.
  private static let reserved = 59_987

  /// Bytes that the underlay carries in front of a container's IP packet.
  let overhead: Int
  /// What is used now.
  private(set) var mtu: Int
  /// What is being tested; nil: nothing.
  private(set) var candidate: Int?
  /// When `advance` is due; nil: never.
  private(set) var nextDeadline: MeshInstant?

  private var limit: Int
  private var highestGood = 0
  private var lowestBad = 0
  /// Lengths that are more likely than others, tested first.
  private var likely: [Int] = []
  /// Whether `highestGood` was tested rather than assumed.
  private var isProven = false
  private var tryCount = 0
  /// When the next search is due if no check calls for one before; nil: one is under way.
  private var nextSearch: MeshInstant?
  /// Checks that were not answered.
  private var checkCount = 0
  /// What a router said while all was well, and what is tested for that reason.
  private var claim: (length: Int, doubted: Int)?

  /// A search that has not begun, over an underlay that carries `underlayMTU` bytes.
  init(underlayMTU: Int, overhead: Int) {
    self.overhead = overhead
    limit = max(0, min(underlayMTU, 65_535) - overhead)
    mtu = limit
  }

  /// Longest UDP payload of a datagram that nobody may fragment.
  var datagramLengthMax: Int { max(0, mtu + overhead - 28) }

  private var floor: Int { min(limit, max(0, Self.pathMTUMin - overhead)) }

  // MARK: Inputs

  /// Begins from what the underlay carries.
  ///
  /// Every function that may lead to a test returns the length to be tested, if any.
  mutating func begin(now: MeshInstant) -> Int? {
    let known = mtu
    highestGood = min(Self.assumed, limit)
    lowestBad = limit + 1
    isProven = false
    // A way that is as it was shows by this: what was good still is, one byte more is not.
    likely = known < limit ? [limit, known, known + 1] : [limit]
    // What is in use is not to be used for long if it is too much.
    if checkCount >= Self.checkCountMax, known < limit { likely = [known, limit, known + 1] }
    checkCount = 0
    nextSearch = nil
    claim = nil
    return testNext(now: now)
  }

  /// Stops, as nothing arrives at present.
  mutating func stop() {
    candidate = nil
    nextDeadline = nil
    nextSearch = nil
    checkCount = 0
    claim = nil
  }

  /// The underlay carries something else from now on; a link in use waits for a test before it
  /// sends anything longer.
  mutating func underlayChanged(_ underlayMTU: Int, isUsed: Bool) {
    limit = max(0, min(underlayMTU, 65_535) - overhead)
    mtu = isUsed ? min(mtu, limit) : limit
    stop()
  }

  /// A router says what the path carries, as anybody may: what was proven before is tested once
  /// more, and used until it is clear that no answer comes.
  mutating func tooLong(pathMTU: Int, now: MeshInstant) -> Int? {
    guard pathMTU >= Self.pathMTUMin else { return nil }
    let length = pathMTU - overhead
    guard length <= limit else { return nil }
    if let candidate, length >= candidate { return nil }
    if candidate == nil, length >= mtu { return nil }
    // It says the same of every test.
    if let claim, claim.doubted == candidate { return nil }
    if isProven, candidate == nil { return doubt(because: length, now: now) }
    if isProven, length == highestGood {
      // It is about the candidate: what was proven before is all there is.
      lowestBad = length + 1
      return testNext(now: now)
    }
    let doubted = mtu
    mtu = min(mtu, length)
    narrow(to: length, from: doubted)
    likely = [length, lowestBad - 1, length + 1]
    return testNext(now: now)
  }

  private mutating func doubt(because length: Int, now: MeshInstant) -> Int? {
    let doubted = mtu
    claim = (length, doubted)
    narrow(to: length, from: doubted)
    likely = [doubted, length, length + 1]
    return testNext(now: now)
  }

  /// Nothing is proven any more, and between these two lies what is to be found.
  private mutating func narrow(to length: Int, from doubted: Int) {
    highestGood = min(Self.assumed, length)
    lowestBad = max(doubted, length) + 1
    isProven = false
  }

  /// The other end got a test.
  mutating func verified(_ length: Int, now: MeshInstant) -> Int? {
    guard let candidate else {
      if length == mtu, isProven, nextSearch != nil { awaitCheck(now: now) }
      return nil
    }
    guard length == candidate else { return nil }
    highestGood = candidate
    isProven = true
    mtu = max(mtu, candidate)
    return testNext(now: now)
  }

  /// Time has come: for another test of the candidate, for the next candidate, for a check of what
  /// is used, for a new search.
  mutating func advance(now: MeshInstant) -> Int? {
    guard nextDeadline.isDue(now) else { return nil }
    guard let candidate else { return check(now: now) }
    if let claim, claim.doubted == candidate, tryCount >= Self.doubtCountMax {
      mtu = min(mtu, claim.length)
    }
    guard tryCount >= Self.tryCountMax else { return test(candidate, now: now) }
    lowestBad = candidate
    if candidate <= highestGood {
      guard highestGood > floor else { return giveUp(now: now) }
      highestGood = floor
    }
    if mtu >= lowestBad { mtu = highestGood }
    return testNext(now: now)
  }

  // MARK: Candidates

  private mutating func testNext(now: MeshInstant) -> Int? {
    while !likely.isEmpty {
      let length = likely.removeFirst()
      if length > highestGood || (length == highestGood && !isProven), length < lowestBad {
        return begin(testing: length, now: now)
      }
    }
    if highestGood + 1 < lowestBad {
      return begin(testing: (highestGood + lowestBad) / 2, now: now)
    }
    return finish(now: now)
  }

  /// Nothing is left between what is good and what is bad.
  private mutating func finish(now: MeshInstant) -> Int? {
    guard isProven else { return begin(testing: highestGood, now: now) }
    mtu = highestGood
    rest(now: now)
    return nil
  }

  /// No test at all arrived, which is not because of their length.
  private mutating func giveUp(now: MeshInstant) -> Int? {
    mtu = min(Self.assumed, limit)
    rest(now: now)
    return nil
  }

  private mutating func rest(now: MeshInstant) {
    candidate = nil
    claim = nil
    nextSearch = now.advanced(by: Self.pause)
    nextDeadline = nextSearch
    if isProven { awaitCheck(now: now) }
  }

  // MARK: Checks

  /// What is used was good just now.
  private mutating func awaitCheck(now: MeshInstant) {
    checkCount = 0
    nextDeadline = [nextSearch, now.advanced(by: Self.checkPause)].compactMap(\.self).min()
  }

  /// Checks what is used, unless it is time for a search.
  private mutating func check(now: MeshInstant) -> Int? {
    guard isProven, checkCount < Self.checkCountMax, !nextSearch.isDue(now) else {
      return begin(now: now)
    }
    nextDeadline = now.advanced(by: Self.firstCheckPause * (1 << checkCount))
    checkCount += 1
    return mtu
  }

  // MARK: Tests

  private mutating func begin(testing length: Int, now: MeshInstant) -> Int? {
    var length = length
    if length == Self.reserved {
      length -= 1
      guard length > highestGood || !isProven else {
        lowestBad = Self.reserved
        return testNext(now: now)
      }
    }
    candidate = length
    tryCount = 0
    return test(length, now: now)
  }

  private mutating func test(_ length: Int, now: MeshInstant) -> Int {
    nextDeadline = now.advanced(by: Self.firstPause * (1 << tryCount))
    tryCount += 1
    return length
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Finds out whether datagrams that are longer than the path carries arrive in fragments.
///
/// A test is some forty fragments, so one that is lost proves little: what was found before holds
/// until four in a row remain unanswered. Every five minutes it is tested again.
struct FragmentationTest: Sendable {
  /// Bytes of the frame that tests it.
  static let frameLength = 60_001
  /// Between the first tests of two rounds.
  static let pause = Duration.seconds(300)
  /// Tests of a round at most.
  static let tryCountMax = 4
  /// After the first test of a round; twice as long after each further one.
  static let firstPause = Duration.seconds(1)

  /// Whether they arrive, as far as tests have told.
  private(set) var isPassed = false
  /// When `advance` is due; nil: nothing was tested yet.
  private(set) var nextDeadline: MeshInstant?

  private var nextRound: MeshInstant?
  /// Tests of this round that are not answered; 0 once one was.
  private var tryCount = 0

  /// Begins a round; a test is to be sent.
  mutating func begin(now: MeshInstant) {
    nextRound = now.advanced(by: Self.pause)
    tryCount = 1
    nextDeadline = now.advanced(by: Self.firstPause)
  }

  /// Stops, as nothing arrives at present.
  mutating func stop() { self = FragmentationTest() }

  /// The other end got a test.
  mutating func verified() {
    guard nextRound != nil else { return }
    isPassed = true
    rest()
  }

  /// Time has come; whether a test is to be sent.
  mutating func advance(now: MeshInstant) -> Bool {
    guard nextDeadline.isDue(now) else { return false }
    guard tryCount > 0 else {
      begin(now: now)
      return true
    }
    guard tryCount < Self.tryCountMax else {
      isPassed = false
      rest()
      return false
    }
    nextDeadline = now.advanced(by: Self.firstPause * (1 << tryCount))
    tryCount += 1
    return true
  }

  private mutating func rest() {
    tryCount = 0
    nextDeadline = nextRound
  }
}

// SPDX-License-Identifier: Apache-2.0

import Mesh
import Testing

@testable import ControlPlane

@Suite struct KeyWaitTests {
  private static func at(_ seconds: Int) -> MeshInstant {
    MeshInstant(nanoseconds: 0).advanced(by: .seconds(seconds))
  }

  private static func isLate(_ state: KeyWait.State) -> Bool {
    if case .late = state { true } else { false }
  }

  @Test func isOverWhenEveryWorkerHasReadTheKeys() {
    var wait = KeyWait()
    wait.begin()
    let isNews = wait.publish(7, now: Self.at(0))
    #expect(isNews)
    #expect(wait.state(oldestRead: 6, areIdentifiersTold: true, now: Self.at(1)) == .waiting)
    #expect(wait.state(oldestRead: 7, areIdentifiersTold: false, now: Self.at(1)) == .waiting)
    #expect(wait.state(oldestRead: 7, areIdentifiersTold: true, now: Self.at(1)) == .over)
    #expect(wait.state(oldestRead: 9, areIdentifiersTold: true, now: Self.at(99)) == .over)
  }

  @Test func hasNoEndBeforeKeysArePublished() {
    var wait = KeyWait()
    #expect(wait.state(oldestRead: 9, areIdentifiersTold: true, now: Self.at(999)) == .waiting)
    _ = wait.publish(10, now: Self.at(999))
    #expect(wait.state(oldestRead: 9, areIdentifiersTold: true, now: Self.at(1003)) == .waiting)
  }

  @Test(arguments: [true, false])
  func lastsFiveSecondsForWhoeverIsSilent(areIdentifiersTold: Bool) {
    var wait = KeyWait()
    _ = wait.publish(7, now: Self.at(10))
    let oldest: UInt64 = areIdentifiersTold ? 6 : 7
    func state(_ seconds: Int) -> KeyWait.State {
      wait.state(oldestRead: oldest, areIdentifiersTold: areIdentifiersTold, now: Self.at(seconds))
    }
    #expect(state(14) == .waiting && Self.isLate(state(15)))
  }

  /// Otherwise many neighbours that renew keys would have each other wait for ever.
  @Test func furtherKeysAreWaitedForButNotLonger() {
    var wait = KeyWait()
    _ = wait.publish(7, now: Self.at(0))
    wait.begin()
    #expect(wait.state(oldestRead: 7, areIdentifiersTold: true, now: Self.at(3)) == .waiting)
    let news = [wait.publish(9, now: Self.at(3)), wait.publish(10, now: Self.at(3))]
    #expect(news == [true, false])
    #expect(wait.state(oldestRead: 8, areIdentifiersTold: true, now: Self.at(4)) == .waiting)
    #expect(wait.state(oldestRead: 9, areIdentifiersTold: true, now: Self.at(4)) == .over)
    #expect(Self.isLate(wait.state(oldestRead: 8, areIdentifiersTold: true, now: Self.at(5))))
  }
}

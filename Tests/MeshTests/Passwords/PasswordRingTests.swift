// SPDX-License-Identifier: Apache-2.0

import Sealing
import Testing

@testable import Mesh

extension PasswordRing {
  /// A ring of passwords that are numbers.
  static func made(_ primary: UInt8, _ others: [UInt8]) throws -> PasswordRing {
    try #require(PasswordRing(Password([primary]), others: others.map { Password([$0]) }))
  }
}

@Suite struct PasswordRingTests {
  @Test func emptyAndRepeatedPasswordsAreLeftOut() throws {
    let others = [[], [1], [2], [2], [], [3], [1]].map(Password.init)
    let ring = try #require(PasswordRing(Password([1]), others: others))
    #expect(ring.primary == Password([1]) && ring.others == [Password([2]), Password([3])])
    #expect(ring.all == [Password([1]), Password([2]), Password([3])])
    #expect(try ring == .made(1, [2, 3]) && ring != .made(1, [2]) && ring != .made(2, [1, 3]))
  }

  @Test func withoutAPrimaryPasswordThereIsNoRing() {
    #expect(PasswordRing(nil) == nil && PasswordRing(Password([])) == nil)
    #expect(PasswordRing(nil, others: [Password([1])]) == nil)
    #expect(PasswordRing(Password([]), others: [Password([1])]) == nil)
  }

  @Test func threeOthersAreKeptAtMost() throws {
    let ring = try PasswordRing.made(1, [1, 2, 2, 3, 4, 5, 6])
    #expect(try ring == .made(1, [2, 3, 4]))
    #expect(ring.all.count == 1 + PasswordRing.countMaxOfOthers)
  }

  @Test func itsPasswordsAreAcceptedAndNoOthers() throws {
    let ring = try PasswordRing.made(1, [2, 3])
    let accepted = (UInt8(0)...5).filter { ring.accepts(Password([$0])) }
    #expect(accepted == [1, 2, 3])
    #expect(!ring.accepts(Password([])) && !ring.accepts(Password([1, 2])))
  }

  @Test func nothingThatPrintsARingShowsItsPasswords() throws {
    let secret = "correct horse"
    let ring = try #require(
      PasswordRing(Password(Array(secret.utf8)), others: [Password(Array("battery".utf8))]))
    var dumped = ""
    dump(ring, to: &dumped)
    for text in ["\(ring)", String(reflecting: ring), dumped] {
      #expect(!text.contains("horse") && !text.contains("battery") && !text.contains("99"))
      // Not even how many there are.
      #expect(!text.contains("others"))
    }
  }
}

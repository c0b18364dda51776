// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Sealing

@Suite struct SecretTests {
  // MARK: Nothing is revealed

  /// Not private: the name of a private type is shown with an address, which has any digits.
  struct Holder {
    let password = Password(Array("open sesame".utf8))
    let pair = KeyPair(privateKey: [UInt8](repeating: 0xA7, count: 32))
    let key = SessionKey(bytes: [UInt8](repeating: 0xA7, count: 32))
  }

  /// Everything that printing, dumping and a mirror show of a value.
  private static func shown(_ value: some Any) -> String {
    var text = "\(value) \(String(reflecting: value)) "
    dump(value, to: &text)
    var children = [Mirror(reflecting: value)]
    while let mirror = children.popLast() {
      for child in mirror.children {
        text += " \(child.label ?? "") \(child.value)"
        children.append(Mirror(reflecting: child.value))
      }
    }
    return text
  }

  @Test func secretsAreNotShown() {
    for text in [
      Self.shown(Holder()), Self.shown(Holder().password), Self.shown(Holder().pair),
      Self.shown(Holder().key as Any), Self.shown(SecretBytes([0xA7, 0xA7])),
    ] {
      #expect(!text.contains("sesame") && !text.contains("167") && !text.contains("a7"), "\(text)")
      #expect(!text.contains("count") && !text.contains("memory"), "\(text)")
    }
  }

  @Test func secretsHaveNoChildrenToReflect() {
    let holder = Holder()
    #expect(Mirror(reflecting: holder.password).children.isEmpty)
    #expect(Mirror(reflecting: holder.pair).children.isEmpty)
    #expect(holder.key.map { Mirror(reflecting: $0).children.isEmpty } == true)
    #expect(Mirror(reflecting: SecretBytes([1])).children.isEmpty)
    #expect("\(holder.password) \(holder.pair)" == "Password(hidden) KeyPair(hidden)")
    #expect(holder.key.map { "\($0)" } == "SessionKey(hidden)")
  }

  // MARK: Equality

  @Test func secretsAreEqualByTheirBytes() {
    let secret = SecretBytes([1, 2, 3])
    #expect(secret == SecretBytes([1, 2, 3]))
    #expect(secret != SecretBytes([1, 2, 4]) && secret != SecretBytes([0, 2, 3]))
    #expect(secret != SecretBytes([1, 2]) && secret != SecretBytes([]))
    #expect(SecretBytes([]) == SecretBytes([]))
    #expect(Password([1]) == Password([1]) && Password([1]) != Password([2]))
  }

  @Test func passwordWithoutBytesIsEmpty() {
    #expect(Password([]).isEmpty)
    #expect(!Password([0]).isEmpty)
  }

  // MARK: Memory

  @Test(arguments: [true, false])
  func wipedBytesAreZero(isGuarded: Bool) {
    let bytes: [UInt8] = [1, 2, 3, 0xFF]
    let secret = SecretBytes(bytes, isGuarded: isGuarded)
    #expect(secret == SecretBytes(bytes))
    secret.wipe()
    #expect(secret == SecretBytes([0, 0, 0, 0]))
  }

  @Test(arguments: [true, false])
  func manySecretsComeAndGo(isGuarded: Bool) {
    for length in 0..<200 {
      let bytes = [UInt8](repeating: 7, count: length)
      #expect(SecretBytes(bytes, isGuarded: isGuarded) == SecretBytes(bytes))
    }
  }
}

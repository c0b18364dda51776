// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
@testable import Sealing
import TestSupport
import Testing

/// What two ends agree on.
@Suite struct SealingTermsTests {
  private func agreed(
    _ ours: [CipherSuite], _ theirs: [String]?, isOutbound: Bool
  ) throws(OverlayError) -> SealingTerms {
    var terms = SealingTerms(seed: [UInt8](repeating: 1, count: 32), identifierPrefix: 1)
    try terms.agree(ours: ours, theirs: theirs, isOutbound: isOutbound)
    return terms
  }

  private static let lists: [[CipherSuite]] = [
    [.aes256gcm], [.chacha20poly1305], [.secretbox], [.aes256gcm, .chacha20poly1305],
    [.chacha20poly1305, .aes256gcm], [.aes256gcm, .chacha20poly1305, .secretbox],
    [.secretbox, .chacha20poly1305],
  ]

  @Test func bothEndsChooseWhatTheDiallerLikesBest() throws {
    for first in Self.lists {
      for second in Self.lists {
        let common = first.filter(second.contains)
        do throws(OverlayError) {
          let outbound = try agreed(first, second.map(\.name), isOutbound: true)
          let inbound = try agreed(second, first.map(\.name), isOutbound: false)
          #expect(outbound.suite == common.first && inbound.suite == outbound.suite)
          #expect(outbound.info == inbound.info && outbound.isRenewable && inbound.isRenewable)
        } catch {
          #expect(common.isEmpty)
          let names = (first.map(\.name), second.map(\.name))
          #expect(error == .noCommonSuite(ours: names.0, theirs: names.1))
          #expect(error.description.contains("\"\(names.0[0])\""))
        }
      }
    }
  }

  @Test func peerOfWeaveIsSealedAsWeaveDoes() throws {
    let terms = try agreed([.aes256gcm, .secretbox], nil, isOutbound: true)
    #expect(terms.suite == .secretbox && !terms.isRenewable && terms.canUseESP)
    #expect(terms.info(.esp, receiver: dialled) == [0, 0, 2, 0, 0, 0, 0, 0x0A])
  }

  @Test func namesThatNobodyKnowsAreIgnored() throws {
    let theirs = ["aes512", "chacha20poly1305", "", "aes256gcm"]
    #expect(
      try agreed([.aes256gcm, .chacha20poly1305], theirs, isOutbound: false).suite
        == .chacha20poly1305)
    #expect(throws: OverlayError.self) { try agreed([.aes256gcm], ["aes512"], isOutbound: true) }
    #expect(throws: OverlayError.self) { try agreed([.aes256gcm], [], isOutbound: true) }
  }

  @Test func whatKeysAreDerivedWithIsWrittenDown() throws {
    let terms = try agreed(
      [.aes256gcm, .chacha20poly1305], ["chacha20poly1305"], isOutbound: false)
    let expected =
      Array("weft sleevechacha20poly1305".utf8) + [0] + Array("chacha20poly1305".utf8) + [0]
      + Array("aes256gcm chacha20poly1305".utf8) + [0] + [0, 0, 2, 0, 0, 0, 0, 0x0B]
    #expect(terms.info(.sleeve, receiver: dialler) == expected)
  }

  /// Whoever takes the best suite out of a list gets keys that open nothing.
  @Test func endsThatSawOtherListsHaveOtherKeys() throws {
    let ours: [CipherSuite] = [.aes256gcm, .chacha20poly1305]
    let honest = try agreed(ours, ours.map(\.name), isOutbound: true)
    let fooled = try agreed(ours, ["chacha20poly1305"], isOutbound: false)
    #expect(honest.suite == .aes256gcm && fooled.suite == .chacha20poly1305)
    let also = try agreed(ours, ["aes256gcm"], isOutbound: false)
    #expect(also.suite == .aes256gcm)
    let base = try #require(testKey)
    for terms in [fooled, also] {
      var outbound = KeyExchange(
        honest.suite, layout: .sleeve, terms: honest, base: base, own: dialler, remote: dialled)
      var inbound = KeyExchange(
        terms.suite, layout: .sleeve, terms: terms, base: base, own: dialled, remote: dialler)
      guard case .offer(let offer) = inbound.begin(now: moment(.zero)).first else {
        Issue.record("no offer")
        return
      }
      #expect(outbound.receiveOffer(offer[...], now: moment(.zero)) != nil)
      let sealing = try #require(outbound.security.sealing)
      let opening = try #require(inbound.security.openings.first)
      #expect(sealing.secret != opening.secret)
    }
  }

  @Test func featuresCarryTheNamesAndRefuseTooMany() throws {
    var features = Features(
      name: dialled, nickname: "", uid: 1, connectionID: 1, shortID: nil, isTrusting: false,
      overlays: nil, extensions: [])
    #expect(features.map.entries["WeftSuites"] == nil && features.map.entries["WeftKeys"] == nil)
    features.suites = ["aes256gcm", "secretbox"]
    features.canReauthenticate = true
    #expect(features.map.entries["WeftSuites"] == "aes256gcm secretbox")
    #expect(features.map.entries["WeftKeys"] == "1")
    #expect(try Features(features.map) == features)
    var map = features.map
    map.entries["WeftKeys"] = "2"
    #expect(try !Features(map).canReauthenticate)
    map.entries["WeftSuites"] = String(repeating: "a ", count: 128)
    #expect(try Features(map).suites?.count == 128)
    map.entries["WeftSuites"]? += "a"
    #expect(throws: FeatureError(key: "WeftSuites", problem: "is longer than 256 bytes")) {
      try Features(map)
    }
  }
}

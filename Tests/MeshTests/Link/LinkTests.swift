// SPDX-License-Identifier: Apache-2.0

import Sealing
import TestSupport
import Testing

@testable import Mesh

@Suite struct LinkTests {
  private static let features = FeatureMap(["Name": "02:00:00:00:00:0a", "NickName": "a"])
  private static let header = Array("weave".utf8) + [2, 2, 0]

  private static func link(_ password: String?, isOutbound: Bool) -> Link {
    let options = Link.Options(
      isOutbound: isOutbound, password: password.map { Password(Array($0.utf8)) },
      keyPair: KeyPair(privateKey: [UInt8](repeating: isOutbound ? 1 : 2, count: 32)))
    return Link(options, features: features)
  }

  /// The bytes of a frame in clear.
  private static func frame(_ body: [UInt8]) -> [UInt8] {
    [0, 0, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
  }

  @Test(arguments: [nil, "x"] as [String?])
  func twoLinksTellEachOtherTheirFeaturesAndMessages(password: String?) throws {
    var here = Self.link(password, isOutbound: true)
    var there = Self.link(password, isOutbound: false)
    let answer = try there.receive(here.start())
    #expect(answer.events.isEmpty && !answer.reply.isEmpty)
    let second = try here.receive(there.start() + answer.reply)
    #expect(second.events == [.features(Self.features)])
    #expect(try there.receive(second.reply).events == [.features(Self.features)])
    #expect(here.sessionKey == there.sessionKey && (here.sessionKey == nil) == (password == nil))
    let bytes =
      try here.seal(.heartbeat, []) + here.seal(.overlayControl, [0, 1])
      + here.seal(.gossipBroadcast, [UInt8](repeating: 3, count: 70_000))
    #expect(
      try there.receive(bytes).events == [
        .message(.heartbeat, payload: []), .message(.overlayControl, payload: [0, 1]),
        .message(.gossipBroadcast, payload: [UInt8](repeating: 3, count: 70_000)),
      ])
    #expect(here.bufferedCount == 0 && there.bufferedCount == 0)
  }

  @Test func tagsThatNobodyKnowsAreToldApart() throws {
    var link = Self.link(nil, isOutbound: true)
    let frames = (0...255).flatMap { Self.frame([UInt8($0), 9]) }
    let events = try link.receive(Self.header + Self.frame(Self.features.gob) + frames).events
    #expect(events.count == 257)
    for (tag, event) in events.dropFirst().enumerated() {
      if let known = MessageTag(rawValue: UInt8(tag)) {
        #expect(event == .message(known, payload: [9]) && tag <= 7)
      } else {
        #expect(event == .unknownMessage(tag: UInt8(tag)) && tag > 7)
      }
    }
  }

  @Test func featuresThatCannotBeReadEndTheSession() throws {
    for body in [[], [0], [1, 2, 3], [UInt8](repeating: 0xFF, count: 60)] {
      var link = Self.link(nil, isOutbound: true)
      var failure: LinkError?
      do { _ = try link.receive(Self.header + Self.frame(body)) } catch { failure = error }
      guard case .features(let problem)? = failure else {
        Issue.record("\(body) is no map, but led to \(String(describing: failure))")
        continue
      }
      #expect(!problem.isEmpty && failure.map { "\($0)".contains(problem) } == true)
      #expect(throws: LinkError.features(problem)) { try link.receive([0, 0, 0, 0]) }
      #expect(throws: LinkError.features(problem)) { try link.seal(.heartbeat, []) }
    }
  }
}

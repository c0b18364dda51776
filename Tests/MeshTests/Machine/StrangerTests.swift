// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Those who want no good, or do not know better.
@Suite struct StrangerTests {
  @Test func silentStrangerIsDroppedAfterTenSeconds() {
    var bench = MachineBench()
    let link = bench.accept(from: 2)
    bench.wait(.milliseconds(9_900))
    #expect(bench.closed.isEmpty)
    bench.wait(.milliseconds(200))
    #expect(bench.closed == [link])
    #expect(bench.refusals == ["slow": 1])
  }

  @Test func strangerWhoTricklesIsDroppedAfterTwentySeconds() {
    var bench = MachineBench()
    let link = bench.accept(from: 2)
    let header: [UInt8] = [0x77, 0x65, 0x61, 0x76, 0x65, 2, 2, 0, 0, 0, 1]
    for byte in header {
      bench.give(.received(link, [byte]))
      bench.wait(.seconds(1))
    }
    #expect(bench.closed.isEmpty)
    for _ in 0..<8 {
      bench.give(.received(link, [0]))
      bench.wait(.seconds(1))
    }
    #expect(bench.closed.isEmpty)
    bench.wait(.seconds(2))
    #expect(bench.closed == [link])
    #expect(bench.refusals == ["slow": 1])
  }

  @Test func thousandStrangersAreBounded() {
    var bench = MachineBench()
    for number in 0..<1000 { _ = bench.accept(from: UInt8(2 + number % 250)) }
    #expect(bench.closed.count == 1000 - 64)
    #expect(bench.refusals == ["crowded": 1000 - 64])
    #expect(bench.notes.count <= 21)
    // A peer still gets in.
    let peer = bench.join(200)
    #expect(bench.report.connections.count == 1)
    bench.wait(.seconds(30))
    #expect(!bench.closed.contains(peer))
    #expect(bench.closed.count == 1000)
  }

  @Test func oneHostTakesNoOthersPlace() {
    var bench = MachineBench()
    let quiet = bench.accept(from: 3)
    let peer = bench.join(2)
    for _ in 0..<200 { _ = bench.accept(from: 2) }
    #expect(bench.closed.isDisjoint(with: [quiet, peer]))
    #expect(bench.closed.count == 200 - 16)
  }

  @Test func strangersWhoSpeakSomethingElseAreCounted() {
    var bench = MachineBench(password: "secret")
    for text in ["GET / HTTP/1.1\r\n\r\n", "weave\u{1}\u{1}\u{0}", "weave\u{2}\u{2}\u{0}"] {
      let link = bench.accept(from: 2)
      bench.give(.received(link, Array(text.utf8)))
      #expect(bench.closed.contains(link))
    }
    #expect(bench.refusals == ["not_weave": 1, "version": 1, "password": 1])
    #expect(bench.report.connections.isEmpty && bench.report.counts.terminations == 0)
  }

  @Test func featuresThatMakeNoSenseAreRefused() {
    var bench = MachineBench()
    let changes: [(inout Features) -> Void] = [
      { $0.name = .unknown }, { $0.uid = 0 }, { $0.overlays = nil }, { $0.overlays = ["awsvpc"] },
      { $0.name = MachineBench.name }, { $0 = Features(ourselves: $0) },
    ]
    for change in changes {
      let link = bench.join(2, change)
      #expect(bench.closed.contains(link))
    }
    let expected: [String: UInt64] = [
      "features": 2, "overlay": 2, "name_collision": 1, "connect_to_self": 1,
    ]
    #expect(bench.refusals == expected)
  }

  @Test func unknownTagsAreIgnoredAndDoNotFillTheLog() throws {
    var bench = MachineBench()
    let link = bench.join(2)
    let before = bench.notes.count
    for number in 0..<1000 {
      // A frame of one byte, in clear: length and tag.
      bench.give(.received(link, [0, 0, 0, 1, UInt8(8 + number % 200)]))
    }
    #expect(bench.report.counts.unknownMessages == 1000)
    #expect(bench.report.connections.count == 1)
    #expect(bench.notes.count - before <= 20)
    bench.wait(.seconds(10))
    bench.give(.received(link, [0, 0, 0, 1, 99]))
    #expect(try #require(bench.notes.last).details["suppressed"] != nil)
  }

  @Test func oldTagsAndBadControlsAreCounted() throws {
    var bench = MachineBench()
    let link = bench.join(2)
    try bench.say(.legacyEstablished, [], on: link)
    try bench.say(.legacyFragmentationReceived, [], on: link)
    try bench.say(.legacyPathMTUVerified, [5, 0x9E], on: link)
    #expect(bench.report.counts.unknownMessages == 3)
    for payload: [UInt8] in [[], [0], [7, 1], [0, 99]] {
      try bench.say(.overlayControl, payload, on: link)
    }
    #expect(bench.report.counts.overlays.badControls == 4)
    #expect(bench.report.connections.map(\.state) == [.pending])
    bench.beat(on: link)
    try bench.say(.overlayControl, [0, 1], on: link)
    #expect(bench.report.connections.map(\.state) == [.established])
    // What was counted stays when the connection goes.
    bench.give(.closed(link, reason: "gone"))
    #expect(bench.report.counts.overlays.badControls == 4)
  }

  @Test func specialFramesOfNobodyAreCounted() {
    var bench = MachineBench()
    _ = bench.join(2)
    func test(of peer: PeerName) -> MeshInput {
      .special(
        OverlaySpecial(
          overlay: .sleeve, peer: peer, source: MachineNetwork.address(2), frameLength: 1452,
          content: .lengthTest))
    }
    for peer in [.unknown, MachineBench.name, MachineNetwork.name(9)] { bench.give(test(of: peer)) }
    #expect(bench.report.counts.unknownDatagrams == 3)
    bench.give(test(of: MachineNetwork.name(2)))
    #expect(bench.report.counts.unknownDatagrams == 3)
  }

  @Test func textOfPeersIsCleanedForTheLog() {
    var bench = MachineBench()
    let nickname = "evil\n\u{1B}[2J" + String(repeating: "x", count: 9999)
    let link = bench.join(2) { $0.nickname = nickname }
    #expect(!bench.closed.contains(link))
    for note in bench.notes {
      for text in note.details.values {
        #expect(text.unicodeScalars.count <= 301)
        #expect(!text.contains("\n") && !text.contains("\u{1B}"))
      }
    }
  }
}

extension Features {
  /// The machine's own features, as it would meet itself.
  fileprivate init(ourselves other: Features) {
    self = other
    name = MachineBench.name
    uid = 1
  }
}

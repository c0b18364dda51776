// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import TestSupport
import Testing

@testable import Mesh

/// What the dialler sends, sealed.
private func seal(
  _ records: [[UInt8]], with sealer: inout SleeveSealer, isFragmentable: Bool = false
) -> [UInt8] {
  sealer.seal(records.flatMap { $0 }, isFragmentable: isFragmentable)
}

@Suite struct SealedSleeveTests {
  private let key: SessionKey

  init() throws { key = try #require(testKey) }

  private func confirmed() throws -> OverlaySwitch {
    var overlay = try overlaySwitch(isOutbound: false, key: key)
    _ = overlay.confirm(now: moment(.zero))
    return overlay
  }

  private func sealer() -> SleeveSealer {
    SleeveSealer(key: key, sender: dialler, isOutbound: true)
  }

  @Test func bothEndsAreEstablished() throws {
    var pair = try OverlayPair(key: key)
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(601))
    #expect(!pair.established.contains(nil) && pair.failures == [nil, nil])
    #expect(pair.ends.map(\.counts) == [OverlaySwitch.Counts(), OverlaySwitch.Counts()])
    #expect(pair.datagramCounts == [61, 61])
  }

  @Test func otherKeysEstablishNothing() throws {
    let other = try #require(SessionKey(bytes: [UInt8](repeating: 1, count: 32)))
    var pair = try OverlayPair(key: key)
    pair.ends[1] = try overlaySwitch(isOutbound: false, key: other)
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(100))
    #expect(pair.established == [nil, nil] && !pair.failures.contains(nil))
    #expect(pair.ends[1].counts.notAuthentic == 120)
  }

  @Test func plainHeartbeatIsNotTaken() throws {
    var overlay = try confirmed()
    let bytes = heartbeat(fromDialler: true)
    #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.zero)).isEmpty)
    #expect(overlay.counts.notAuthentic == 1 && overlay.remoteAddress == nil)
  }

  /// A recorded heartbeat, sent again from elsewhere, must not draw our datagrams there.
  @Test func repeatedHeartbeatDoesNotMoveTheAddress() throws {
    var overlay = try confirmed()
    var sealer = sealer()
    let record = sleeveRecord(from: dialler, to: dialled, heartbeatFrame())
    let bytes = seal([record], with: &sealer)
    #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.zero)).count == 2)
    let elsewhere = try #require(SocketAddress("203.0.113.7:40000"))
    #expect(overlay.receive(bytes, from: elsewhere, now: moment(.seconds(1))).isEmpty)
    #expect(overlay.counts.replayed == 1 && overlay.remoteAddress == diallerAddress)
  }

  @Test func testsAreAnswered() throws {
    var overlay = try confirmed()
    var sealer = sealer()
    for (length, isFragmentable, answer) in [
      (60_001, true, [0, 2]), (1428, false, [0, 3, 5, 0x86]),
    ]
      as [(Int, Bool, [UInt8])]
    {
      let frame = [UInt8](repeating: 0, count: length)
      let bytes = seal(
        [sleeveRecord(from: dialler, to: dialled, frame)], with: &sealer,
        isFragmentable: isFragmentable)
      let effects = overlay.receive(bytes, from: diallerAddress, now: moment(.zero))
      #expect(effects == [.control(answer)])
    }
    #expect(overlay.counts == OverlaySwitch.Counts())
  }

  @Test func frameOfContainersAndCutRecordsAreCounted() throws {
    var overlay = try confirmed()
    var sealer = sealer()
    let record = sleeveRecord(from: dialler, to: dialled, FrameBuilder().arpRequest())
    for length in 0...record.count {
      let bytes = seal([record, Array(record.prefix(length))], with: &sealer)
      #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.zero)).isEmpty)
    }
    #expect(overlay.counts.dataFrames == UInt64(record.count + 2))
    #expect(overlay.counts.malformed == UInt64(record.count - 1))
  }
}

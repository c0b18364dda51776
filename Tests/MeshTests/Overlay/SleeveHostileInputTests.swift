// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing

@testable import Mesh

/// Datagrams near to what a peer sends, and far from it.
private func hostile(_ generator: inout SeededGenerator) -> [UInt8] {
  guard generator.number(below: 4) > 0 else {
    return generator.bytes(generator.number(below: 100))
  }
  let names = [dialler, dialled, PeerName(bits: generator.next())]
  var bytes = generator.number(below: 9) == 0 ? dialled.octets : dialler.octets
  for _ in 0..<generator.number(below: 4) {
    let length = [0, 13, 14, 22, 23, 80][generator.number(below: 6)]
    let isSpecial = generator.bool()
    var frame = isSpecial ? [UInt8](repeating: 0, count: length) : generator.bytes(length)
    if isSpecial, length == 22 {
      frame = heartbeatFrame(generator.bool() ? testUID : generator.next())
    }
    bytes += sleeveRecord(
      from: names[generator.number(below: 3)], to: names[generator.number(below: 3)], frame)
  }
  if generator.bool() { bytes.removeLast(generator.number(below: min(20, bytes.count))) }
  if generator.bool() {
    bytes[generator.number(below: bytes.count)] = UInt8(generator.next() >> 56)
  }
  return bytes
}

@Suite struct SleeveHostileInputTests {
  @Test(arguments: [1])
  func randomDatagramsLeadToBoundedEffects(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var overlay = try overlaySwitch(isOutbound: false)
    _ = overlay.confirm(now: moment(.zero))
    for _ in 0..<100_000 {
      let bytes = hostile(&generator)
      let effects = overlay.receive(bytes, from: diallerAddress, now: moment(.zero))
      if effects.count > 4 { Issue.record("\(effects), \(generator)") }
      for case .control(let payload) in effects where payload.count < 2 || payload[0] != 0 {
        Issue.record("a Weave router would fail of \(payload), \(generator)")
      }
    }
    let counts = overlay.counts
    let all = [counts.malformed, counts.dataFrames, counts.foreignSpecials]
    #expect(!all.contains(0), "\(generator)")
    #expect(overlay.remoteAddress == diallerAddress, "\(generator)")
  }

  @Test(arguments: [1])
  func randomSealedDatagramsAreNotAuthentic(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var overlay = try overlaySwitch(isOutbound: false, key: testKey)
    _ = overlay.confirm(now: moment(.zero))
    for _ in 0..<100_000 {
      let bytes = dialler.octets + hostile(&generator)
      #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.zero)).isEmpty)
    }
    #expect(overlay.counts.notAuthentic == 100_000, "\(generator)")
  }

  @Test(arguments: [1])
  func randomControlMessagesLeadToNothingBad(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var overlay = try overlaySwitch(isOutbound: true)
    _ = overlay.confirm(now: moment(.zero))
    _ = overlay.receive(heartbeat(fromDialler: false), from: dialledAddress, now: moment(.zero))
    var established = 0
    for _ in 0..<100_000 {
      let payload = generator.bytes(generator.number(below: 5)).map { $0 & 3 }
      established += overlay.receiveControl(payload, now: moment(.zero)).count
    }
    #expect(established == 1, "\(generator)")
    #expect(overlay.counts.badControls > 0, "\(generator)")
  }
}

extension SeededGenerator {
  fileprivate mutating func bool() -> Bool { next() & 1 == 0 }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing

@testable import Dataplane

/// Test frames, and what is taken for one that has arrived.
@Suite struct TestFramesTests {
  private let test = SelfTest(
    source: MACAddress(bits: 0x0200_0000_0001), destination: MACAddress(bits: 0x0200_0000_0002),
    frameLengthMax: 1464, cookie: 0x0123_4567_89AB_CDEF, begin: {},
    send: { (frames, length) in SentBurst(count: frames.count / length, nanoseconds: 1) }, end: {})

  private func split(_ burst: [UInt8], _ length: Int) -> [[UInt8]] {
    stride(from: 0, to: burst.count, by: length).map { Array(burst[$0..<$0 + length]) }
  }

  @Test(arguments: [64, 65, 1464, 3840]) func everyFrameArrivesOnce(length: Int) {
    var frames = TestFrames(test, length: length)
    for _ in 0..<3 {
      let burst = split(frames.next(32), length)
      #expect(burst.count == 32 && Set(burst).count == 32)
      #expect(burst.allSatisfy { $0.count == length })
      #expect(burst[0].prefix(14) == [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5])
      #expect(frames.arrivedCount == 0)
      for frame in burst.reversed() + burst { frames.note(frame) }
      #expect(frames.arrivedCount == 32)
    }
  }

  @Test func framesOfEarlierBurstsAndOtherTestsDoNotCount() {
    var frames = TestFrames(test, length: 64)
    let early = split(frames.next(8), 64)
    let burst = split(frames.next(8), 64)
    var other = test
    other.cookie += 1
    var others = TestFrames(other, length: 64)
    _ = others.next(8)
    for frame in early + split(others.next(8), 64) { frames.note(frame) }
    #expect(frames.arrivedCount == 0)
    frames.note(burst[3])
    #expect(frames.arrivedCount == 1)
  }

  @Test func damagedAndCutFramesDoNotCount() {
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    var frames = TestFrames(test, length: 200)
    for frame in split(frames.next(64), 200) {
      var damaged = frame
      // Anywhere but in the number, with another of which it is another frame of the burst.
      let place = (Array(0..<22) + Array(30..<200)).randomElement(using: &generator) ?? 0
      damaged[place] ^= UInt8.random(in: 1...255, using: &generator)
      frames.note(damaged)
      frames.note(Array(frame.prefix(Int.random(in: 0..<200, using: &generator))))
      frames.note(frame + [0])
    }
    #expect(frames.arrivedCount == 0, "seed \(seed)")
  }
}

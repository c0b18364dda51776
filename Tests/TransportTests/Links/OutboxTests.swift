// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TestSupport
import Testing

@testable import Transport

@Suite struct OutboxTests {
  @Test(arguments: fixedSeeds)
  func bytesComeOutAsTheyWentIn(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var outbox = Outbox()
    var (expected, found): ([UInt8], [UInt8]) = ([], [])
    for _ in 0..<400 {
      let piece = generator.bytes(generator.number(below: 1 << generator.number(below: 18)))
      outbox.append(piece)
      expected += piece
      if generator.number(below: 3) == 0, let chunk = outbox.takeFirst() {
        #expect(chunk.readableBytes <= Outbox.chunkLength, "\(generator)")
        found += chunk.readableBytesView
      }
      #expect(outbox.length == expected.count - found.count, "\(generator)")
    }
    while let chunk = outbox.takeFirst() { found += chunk.readableBytesView }
    #expect(found == expected, "\(generator)")
    #expect(outbox.length == 0)
  }

  @Test func smallPiecesShareAChunk() {
    var outbox = Outbox()
    for _ in 0..<Outbox.chunkLength { outbox.append([7]) }
    #expect(outbox.takeFirst()?.readableBytes == Outbox.chunkLength)
    #expect(outbox.takeFirst() == nil)
  }

  @Test func nothingAppendedIsNothing() {
    var outbox = Outbox()
    outbox.append([])
    #expect(outbox.takeFirst() == nil)
  }
}

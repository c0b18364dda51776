// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Testing

@Suite
struct MemoryPortTests {
  @Test func aPortWithoutFreeChunksLosesWhatArrives() throws {
    var options = MemorySwitch.Options()
    options.ringCapacity = 8
    options.fillTarget = 8
    let memory = try MemorySwitch(options)
    let port = try #require(memory.ports[port(0)])
    for _ in 0..<8 { #expect(port.arrive(frame(from: 0, to: 1))) }
    #expect(!port.arrive(frame(from: 0, to: 1)))
    #expect(port.chunkCount == 8)
    memory.worker.breathe(times: 1)
    #expect(port.arrive(frame(from: 0, to: 1)), "a breath fills the fill ring again")
    #expect(try memory.account.received == 8)
  }

  @Test func whatIsSentIsShownOnceAndItsChunksComeBack() throws {
    let memory = try MemorySwitch()
    memory.learn(1, at: behind(port: 1))
    let (source, target) = (
      try #require(memory.ports[port(0)]), try #require(memory.ports[port(1)])
    )
    let bytes = frame(from: 0, to: 1)
    #expect(source.arrive(bytes))
    memory.worker.breathe(times: 1)
    #expect(target.takeSent() == [bytes])
    #expect(target.transmit() == 0)
    memory.worker.breathe(times: 1)
    #expect(memory.knownChunkCount == memory.options.frameCount)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Dataplane

/// Which datagrams are left to the kernel to be cut, after it did not cut some.
struct SegmentationFallbackTests {
  private let socket = UDPSocket(descriptor: -1, udpPort: 6783, hasSegmentation: true)

  /// How many of so many datagrams of this length are left to the kernel.
  private func cutCount(of count: Int, _ length: UInt32, by socket: inout UDPSocket) -> Int {
    var cut = 0
    for _ in 0..<count where socket.cuts(length) { cut += 1 }
    return cut
  }

  @Test func oneWayThatCutsNothingDoesNotEndItForOthers() {
    var socket = socket
    for _ in 0..<1000 {
      for _ in 0..<63 { socket.failedToCut() }
      socket.didCut()
    }
    let counts = [1472, 9000].map { cutCount(of: 10, $0, by: &socket) }
    #expect(counts == [10, 10])
  }

  @Test func manyInARowEndItForAWhile() {
    var socket = socket
    for _ in 0..<64 { socket.failedToCut() }
    let during = cutCount(of: 4096, 1472, by: &socket)
    let after = cutCount(of: 10, 1472, by: &socket)
    #expect(during == 0 && after == 10)
    // One more is enough then, unless a message was cut.
    socket.failedToCut()
    let again = cutCount(of: 4096, 1472, by: &socket)
    socket.didCut()
    socket.failedToCut()
    let later = cutCount(of: 10, 1472, by: &socket)
    #expect(again == 0 && later == 10)
  }

  @Test func lengthsThatWereRefusedAreTriedAgainLater() {
    var socket = socket
    socket.refusedToCut(1472)
    let shorter = cutCount(of: 10, 1471, by: &socket)
    let during = cutCount(of: 4096, 1472, by: &socket)
    let after = cutCount(of: 10, 1472, by: &socket)
    #expect(shorter == 10 && during == 0 && after == 10)
  }

  @Test func socketThatCannotCutNeverDoes() {
    var socket = UDPSocket(descriptor: -1, udpPort: 6783, hasSegmentation: false)
    let before = cutCount(of: 5000, 1472, by: &socket)
    socket.didCut()
    let after = cutCount(of: 10, 1472, by: &socket)
    #expect(before == 0 && after == 0)
  }
}

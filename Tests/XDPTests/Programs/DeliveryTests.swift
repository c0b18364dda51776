// SPDX-License-Identifier: Apache-2.0

import Testing
import XDP

/// Real frames on a real veth: what the programs' verdicts do.
@Suite(.enabled(if: isRoot, rootComment)) struct DeliveryTests {
  @Test(arguments: [AttachRequest.native, .generic])
  func underlayTakesOursAndLeavesTheRest(requested: AttachRequest) async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let program = try XDPProgram(.underlay)
      try program.setOverlayAddresses([OuterFrame.ours])
      let attachment = try program.attach(
        interfaceIndex: index, requested: requested, lifetime: .withProcess)
      let sender = try FrameSender("right")
      let ours = try HostSocket(port: OuterFrame.ours.port)
      let theirs = try HostSocket(port: 7000)
      var other = OuterFrame()
      other.destinationPort = 7000

      try sender.send(OuterFrame().bytes, count: 5)
      #expect(ours.receive(atLeast: 5) == 5, "without a socket all is the host's")

      do {
        let socket = try BoundSocket(interfaceIndex: index)
        try program.setSocket(socket.descriptor, queue: 0)
        try sender.send(OuterFrame().bytes, count: 7)
        try sender.send(other.bytes, count: 3)
        #expect(eventually { socket.receivedCount == 7 })
        #expect(theirs.receive(atLeast: 3) == 3)
        #expect(ours.drain() == 0)
      }

      #expect(try eventually { try program.testRun(OuterFrame().bytes) == .pass })
      try sender.send(OuterFrame().bytes, count: 4)
      #expect(ours.receive(atLeast: 4) == 4, "a closed socket gives the traffic back to the host")
      try attachment.detach()
    }
  }

  @Test(arguments: [AttachRequest.native, .generic])
  func portTakesAllAndCountsWhatItMisses(requested: AttachRequest) async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let program = try XDPProgram(.port)
      let attachment = try program.attach(
        interfaceIndex: index, requested: requested, lifetime: .withDevice)
      let sender = try FrameSender("right")
      let host = try HostSocket(port: OuterFrame.ours.port)

      try sender.send(OuterFrame().bytes, count: 5)
      #expect(try eventually { try program.missedCount() == 5 })

      do {
        let socket = try BoundSocket(interfaceIndex: index)
        try program.setSocket(socket.descriptor, queue: 0)
        try sender.send(OuterFrame().bytes, count: 20)
        #expect(eventually { socket.receivedCount == 20 })
        #expect(try program.missedCount() == 5)
      }

      #expect(try eventually { try program.testRun(OuterFrame().bytes) == .drop })
      try sender.send(OuterFrame().bytes, count: 3)
      #expect(try eventually { try program.missedCount() == 5 + 1 + 3 }, "with the test run")
      #expect(host.drain() == 0, "the host never sees a port's frames")
      try attachment.detach()
    }
  }

  @Test func portKeepsDroppingAfterItsProcessIsGone() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let host = try HostSocket(port: OuterFrame.ours.port)
      let sender = try FrameSender("right")
      _ = try XDPProgram(.port).attach(
        interfaceIndex: index, requested: .automatic, lifetime: .withDevice
      ).mode
      try sender.send(OuterFrame().bytes, count: 5)
      #expect(try Attachment.detachOwn(interfaceIndex: index))
      try sender.send(OuterFrame().bytes, count: 1)
      #expect(host.receive(atLeast: 1) == 1, "only the frame after the program was gone")
      #expect(host.drain() == 0)
    }
  }

  @Test(arguments: ProgramKind.allCases)
  func eachQueueHasItsOwnSocket(kind: ProgramKind) async throws {
    try await inNewNamespace {
      try run(
        "ip link add left numrxqueues 3 numtxqueues 3 "
          + "type veth peer name right numrxqueues 3 numtxqueues 3")
      try run("ip link set left up")
      try run("ip link set right up")
      let index = try interfaceIndex("left")
      let program = try XDPProgram(kind)
      if kind == .underlay { try program.setOverlayAddresses([OuterFrame.ours]) }
      let attachment = try program.attach(
        interfaceIndex: index, requested: .native, lifetime: .withProcess)
      let socket = try UnboundSocket()
      for served: UInt32 in 0..<3 {
        try program.setSocket(socket.descriptor, queue: served)
        for queue: UInt32 in 0..<3 {
          let verdict = try program.testRun(
            OuterFrame().bytes, interfaceIndex: index, queue: queue)
          let without: XDPVerdict = kind == .underlay ? .pass : .drop
          #expect(verdict == (queue == served ? .redirect : without), "queue \(queue)")
        }
        try program.removeSocket(queue: served)
      }
      try attachment.detach()
    }
  }
}

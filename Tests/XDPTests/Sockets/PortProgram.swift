// SPDX-License-Identifier: Apache-2.0

import CXDP
import XDP

/// A port program on an interface; it stays there until the interface goes.
final class PortProgram {
  private let program: XDPProgram

  init(_ interface: String) throws {
    program = try XDPProgram(.port)
    _ = try program.attach(
      interfaceIndex: interfaceIndex(interface), requested: .native, lifetime: .withDevice
    ).mode
  }

  /// Sends queue 0, 1, … to these sockets.
  func set(_ sockets: [TestSocket]) throws { try set(sockets.map(\.socket.descriptor)) }

  func set(_ descriptors: [CInt]) throws {
    for (queue, descriptor) in descriptors.enumerated() {
      try program.setSocket(descriptor, queue: UInt32(queue))
    }
  }

  /// Frames that found no socket.
  func missedCount() throws -> UInt64 { try program.missedCount() }
}

/// Port programs on both far ends, `right` and `east`.
final class TwoPrograms {
  private let right: PortProgram
  private let east: PortProgram

  init() throws {
    right = try PortProgram("right")
    east = try PortProgram("east")
  }

  func set(_ sockets: [TestSocket], on interface: String) throws {
    try set(sockets.map(\.socket.descriptor), on: interface)
  }

  func set(_ descriptors: [CInt], on interface: String) throws {
    try (interface == "right" ? right : east).set(descriptors)
  }

  /// Frames that found no socket, on both.
  func missedCount() throws -> UInt64 { try right.missedCount() + east.missedCount() }
}

/// Asks the kernel to send what is on a socket's TX ring.
func wake(_ socket: PacketSocket) { _ = cxdp_wakeup(socket.descriptor) }

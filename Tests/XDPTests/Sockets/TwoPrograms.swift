// SPDX-License-Identifier: Apache-2.0

import CXDP
import XDP

/// A port program on each of the far ends, `right` and `east`; it stays there until they go.
final class TwoPrograms {
  private let right: XDPProgram
  private let east: XDPProgram

  init() throws {
    right = try XDPProgram(.port)
    east = try XDPProgram(.port)
    try attach(right, to: "right")
    try attach(east, to: "east")
  }

  /// Sends queue 0, 1, … of a far end to these sockets.
  func set(_ sockets: [TestSocket], on interface: String) throws {
    try set(sockets.map(\.socket.descriptor), on: interface)
  }

  func set(_ descriptors: [CInt], on interface: String) throws {
    for (queue, descriptor) in descriptors.enumerated() {
      if interface == "right" {
        try right.setSocket(descriptor, queue: UInt32(queue))
      } else {
        try east.setSocket(descriptor, queue: UInt32(queue))
      }
    }
  }

  /// Frames that found no socket, on both.
  func missedCount() throws -> UInt64 { try right.missedCount() + east.missedCount() }
}

private func attach(_ program: borrowing XDPProgram, to interface: String) throws {
  _ = try program.attach(
    interfaceIndex: interfaceIndex(interface), requested: .native, lifetime: .withDevice
  ).mode
}

/// Asks the kernel to send what is on a socket's TX ring.
func wake(_ socket: PacketSocket) { _ = cxdp_wakeup(socket.descriptor) }

// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import XDP

/// The far end of the wire: counts every frame and drops it, in the driver.
///
/// The program is the one of ports, which without a socket drops and counts.
final class Sink: Sendable {
  private let program: XDPProgram
  private let attachment: Attachment

  /// Attaches to an interface of the calling thread's room.
  init(interface: InterfaceIndex) throws {
    let program = try XDPProgram(.port)
    attachment = try program.attach(
      interfaceIndex: UInt32(bitPattern: interface.rawValue), requested: .native,
      lifetime: .withProcess)
    self.program = program
  }

  /// Frames that arrived.
  func count() throws -> UInt64 { try program.missedCount() }

  /// Gives the frames of queue 0 to a socket instead, or to nobody again.
  func redirect(to socket: PacketSocket?) throws {
    if let socket {
      try program.setSocket(socket.descriptor, queue: 0)
    } else {
      try program.removeSocket(queue: 0)
    }
  }
}

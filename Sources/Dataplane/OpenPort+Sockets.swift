// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import XDP

/// How a port's frames come to us.
public enum PortMode: String, Sendable {
  /// Through a program in the driver.
  case native
  /// Through a program in the kernel's common receive path.
  case generic
  /// Through the kernel's UDP sockets, without a program.
  case sockets
}

/// What stands behind the rings of a queue, as its owner sees it.
enum QueueSocket: Sendable {
  case packet(PacketSocket)
  case datagrams(SocketPort)

  /// Whether the driver reads and writes the frames in place.
  var isZeroCopy: Bool {
    if case .packet(let socket) = self { socket.isZeroCopy } else { false }
  }

  /// Whether it takes and gives frames in several pieces.
  var isMultiPiece: Bool {
    if case .packet(let socket) = self { socket.isMultiPiece } else { true }
  }

  /// What the kernel counted against it.
  func statistics() -> PacketSocket.Statistics {
    switch self {
    case .packet(let socket): return socket.statistics()
    case .datagrams(let socket):
      let losses = socket.losses()
      var statistics = PacketSocket.Statistics()
      statistics.receiveDropped = losses.receiveDropped
      statistics.transmitRefused = losses.transmitRefused
      return statistics
    }
  }

  func close() {
    switch self {
    case .packet(let socket): socket.close()
    case .datagrams(let socket): socket.close()
    }
  }
}

/// The XDP program of a port.
final class PortProgram: Sendable {
  let program: XDPProgram
  let attachment: AttachmentHolder

  init(program: consuming XDPProgram, attachment: AttachmentHolder) {
    self.program = program
    self.attachment = attachment
  }
}

extension OpenPort {
  /// How its frames come to us.
  var mode: PortMode {
    guard let program else { return .sockets }
    return program.attachment.mode == .native ? .native : .generic
  }

  /// Why so, in a sentence.
  var reason: String {
    if let program { return program.attachment.reason }
    let udpPorts = sockets.first?.udpPorts ?? []
    let list = udpPorts.map(String.init).joined(separator: ", ")
    let address = sockets.first.map { $0.options.address.description } ?? ""
    return "UDP \(udpPorts.count == 1 ? "port" : "ports") \(list) of \(address)"
  }

  /// Its parts, if it is a port of UDP sockets.
  var sockets: [SocketPort] {
    queues.compactMap { queue in
      if case .datagrams(let socket) = queue.socket { socket } else { nil }
    }
  }
}

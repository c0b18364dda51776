// SPDX-License-Identifier: Apache-2.0

internal import Tables
internal import XDP

/// What a queue does if UDP sockets stand behind its rings: what the kernel does for others in its
/// own time is done here, in the breath.
extension PortQueue {
  /// Has the sockets put what they received on the RX ring, if that is empty.
  @inline(__always)
  mutating func drawFromSockets() {
    guard case .datagrams(let sockets) = backing, rings.receive.ready(upTo: 1) == 0 else { return }
    guard sockets.receive() else { return }
    // What waits for chunks must not be left to the kernel's watch, nor slept on.
    owesWakeup = true
  }

  /// Has the sockets send what is on the TX ring; returns the number of system calls.
  @inline(never)
  mutating func sendThroughSockets() -> Int {
    guard case .datagrams(let sockets) = backing else { return 0 }
    let calls = sockets.transmit()
    owesWakeup = sockets.isOwing
    return calls
  }
}

extension PortBacking {
  /// What becomes readable when there is something to receive; nil if nothing does.
  var descriptor: CInt? {
    switch self {
    case .socket(let descriptor): descriptor
    case .datagrams(let sockets): sockets.descriptor
    case .memory: nil
    }
  }
}

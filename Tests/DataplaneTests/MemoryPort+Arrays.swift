// SPDX-License-Identifier: Apache-2.0

import Dataplane

extension MemoryPort {
  /// A frame arrives.
  func arrive(_ bytes: [UInt8]) -> Bool { arrive(bytes.span) }

  /// Everything on the TX ring leaves; returns it, oldest first.
  func takeSent() -> [[UInt8]] {
    var sent: [[UInt8]] = []
    transmit { frame in sent.append(frame.indices.map { frame[$0] }) }
    return sent
  }
}

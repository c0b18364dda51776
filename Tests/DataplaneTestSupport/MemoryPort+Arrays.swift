// SPDX-License-Identifier: Apache-2.0

package import Dataplane

extension MemoryPort {
  /// A frame arrives.
  package func arrive(_ bytes: [UInt8]) -> Bool { arrive(bytes.span) }

  /// Everything on the TX ring leaves; returns it, oldest first.
  package func takeSent() -> [[UInt8]] {
    var sent: [[UInt8]] = []
    transmit { frame in sent.append(frame.indices.map { frame[$0] }) }
    return sent
  }
}

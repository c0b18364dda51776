// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet

extension Worker {
  /// Makes a frame a record of a datagram to `endpoint`, which is sealed and sent at the latest by
  /// `flushSleeve`; `source` is the peer where the frame entered the mesh.
  @inline(never)
  mutating func pack(
    _ frame: Frame, for endpoint: EndpointIndex, from source: PeerName,
    snapshot: ForwardingSnapshot
  ) {
    drop(frame, .nextHopUnresolved)
  }

  /// Seals and sends what `pack` began.
  @inline(never)
  mutating func flushSleeve(snapshot: ForwardingSnapshot) {}
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Transport

/// For control planes without a mesh, which never ask.
func noSockets(
  _ address: SocketAddress, _ receive: @escaping @Sendable (MeshInput) -> Void
) throws -> any MeshTransport {
  throw TransportError.other("a test has no sockets")
}

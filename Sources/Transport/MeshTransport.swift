// SPDX-License-Identifier: Apache-2.0

package import Inet
package import Mesh

/// Moves the bytes of the mesh's links; datagrams are the data plane's.
///
/// What happens is told, in the order of each link, to the closure that it was made with.
package protocol MeshTransport: Sendable {
  /// Connects; the answer is `MeshInput.dialed` or `.dialFailed`.
  func dial(_ link: LinkIdentifier, _ remote: SocketAddress)
  /// Sends bytes in order; a link whose other end does not read is closed when too much waits.
  func send(_ bytes: [UInt8], on link: LinkIdentifier)
  /// Says that bytes of `MeshInput.received` were dealt with, so that more may be read.
  func consumed(_ count: Int, on link: LinkIdentifier)
  /// Closes at once.
  func close(_ link: LinkIdentifier)
  /// Closes everything.
  func stop()
}

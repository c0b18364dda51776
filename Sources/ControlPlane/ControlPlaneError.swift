// SPDX-License-Identifier: Apache-2.0

package import HostNetwork

/// The control plane could not do what it was asked to; says what to change.
package enum ControlPlaneError: Error, Equatable, CustomStringConvertible {
  /// The configured underlay interface is not there.
  case underlayMissing(String)
  /// The underlay has no IPv4 address to send from.
  case underlayWithoutAddress(String)
  /// The underlay cannot go through AF_XDP, as the configuration has it, for this reason.
  case underlayUnfit(String)
  /// The request contradicts itself.
  case request(RequestError)
  /// There is no such attachment.
  case notAttached(String)
  /// It is attached already.
  case alreadyAttached(String)
  /// The host's network refused.
  case host(HostNetworkError)
  /// The data plane refused.
  case engine(EngineFailure)
  /// The forwarding tables are full.
  case tablesFull
  /// The mesh's sockets cannot be opened.
  case mesh(String)
  /// Somebody else's trace is under way.
  case tracing
  /// The configuration has no mesh.
  case noMesh
  /// Weftd is stopping.
  case stopping

  /// One sentence: what failed and what is accepted.
  package var description: String {
    switch self {
    case .underlayMissing(let name):
      "the underlay interface \(name) does not exist; give one of this host's interfaces under"
        + " [underlay] interface"
    case .underlayWithoutAddress(let name):
      "the underlay interface \(name) has no IPv4 address; add one, endpoints reach us by it"
    case .underlayUnfit(let reason):
      "the underlay cannot go through AF_XDP: \(reason); give a physical or veth interface under"
        + " [underlay] interface, or set mode to \"automatic\" there"
    case .request(let error): error.message
    case .notAttached(let what): "\(what) is not attached; `weft ps` lists what is"
    case .alreadyAttached(let what): what
    case .host(let error): error.description
    case .engine(let failure): failure.description
    case .tablesFull: "the forwarding tables are full; detach a container first"
    case .mesh(let problem):
      "the mesh's sockets cannot be opened: \(problem); give a free port under [mesh] port, the"
        + " same on every host"
    case .tracing: "another trace is under way; wait until it ends, which takes a minute at most"
    case .noMesh:
      "this weftd has no mesh; add a [mesh] section to its configuration and restart it"
    case .stopping: "weftd is stopping"
    }
  }
}

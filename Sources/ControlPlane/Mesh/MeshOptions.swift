// SPDX-License-Identifier: Apache-2.0

package import Inet
package import Sealing

extension ControlPlane {
  /// What the configuration says of the mesh.
  package struct MeshOptions: Sendable {
    /// Our name; nil: one is derived from what this host is.
    package var name: PeerName?
    /// What our people call this host.
    package var nickname: String
    /// The port of TCP and UDP.
    package var port: UInt16
    /// The address to receive at; 0.0.0.0: all.
    package var listenAddress: IPv4Address
    /// Whom to be connected with, each as `PeerTarget` reads it.
    package var targets: [String]
    /// The secret of the whole mesh; nil: nothing is encrypted.
    package var password: Password?
    /// Secrets that others may have instead, for the time of a change; none of them is our own.
    package var acceptedPasswords: [Password]
    /// How frames may be sealed between Weft's hosts, the best first; nil: as this processor likes.
    ///
    /// Weave's routers are offered `secretbox` whatever this says.
    package var ciphers: [CipherSuite]?
    /// Seconds until frames are sealed with another key.
    package var rekeySeconds: Int
    /// Whether peers of peers are dialled.
    package var hasDiscovery: Bool
    /// Connections at most; 0: no limit.
    package var connectionCountMax: Int
    /// Paths to these need no encryption of frames.
    package var trustedSubnets: [IPv4Prefix]

    /// The configuration's defaults, for a host.
    package init(nickname: String) {
      name = nil
      self.nickname = nickname
      port = 6783
      listenAddress = IPv4Address(bits: 0)
      targets = []
      password = nil
      acceptedPasswords = []
      ciphers = nil
      rekeySeconds = 3600
      hasDiscovery = true
      connectionCountMax = 200
      trustedSubnets = []
    }
  }
}

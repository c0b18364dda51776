// SPDX-License-Identifier: Apache-2.0

package import Inet

/// One container on the overlay.
package struct AttachmentReport: Codable, Sendable, Equatable {
  /// Whether the container's frames can flow.
  package enum State: String, Codable, Sendable {
    /// The interface is there and its port moves frames.
    case attached
    /// The interface is there, but no frame passes; `detail` says why.
    case down
  }

  /// The name of the veth's end that the daemon holds.
  package var hostInterface: String
  /// The name of the container's end.
  package var interface: String
  /// The namespace as it was given: a path, or `pid 42`.
  package var netns: String
  /// The container's MAC address.
  package var mac: MACAddress
  /// The container's addresses; in the answer to a detach, those that were taken away.
  package var addresses: [IPv4Prefix]
  /// Whether frames can flow.
  package var state: State
  /// Why the state is what it is, as one sentence; empty if there is nothing to say.
  package var detail: String

  /// Describes one attachment.
  package init(
    hostInterface: String, interface: String, netns: String, mac: MACAddress,
    addresses: [IPv4Prefix], state: State, detail: String = ""
  ) {
    self.hostInterface = hostInterface
    self.interface = interface
    self.netns = netns
    self.mac = mac
    self.addresses = addresses
    self.state = state
    self.detail = detail
  }

  private enum CodingKeys: String, CodingKey {
    case hostInterface = "host_interface"
    case interface, netns, mac, addresses, state, detail
  }
}

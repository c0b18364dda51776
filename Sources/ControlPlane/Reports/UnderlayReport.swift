// SPDX-License-Identifier: Apache-2.0

package import Inet

/// The outer network as the daemon uses it.
package struct UnderlayReport: Codable, Sendable, Equatable {
  /// Whether the interface can carry frames.
  package enum State: String, Codable, Sendable {
    /// It is up and in use, or there is none and sockets do without.
    case up
    /// It exists but is down or has no carrier.
    case down
    /// It is gone.
    case missing
    /// It is there and up but cannot be used; the status's problems say why.
    case closed
  }

  /// How frames to and from other hosts pass.
  package enum Method: String, Codable, Sendable {
    /// Through AF_XDP, past the kernel's network stack.
    case xdp
    /// Through UDP sockets of the kernel's.
    case socket
  }

  /// The interface's name; nil if none is configured.
  package var interface: String?
  /// How frames to and from other hosts pass.
  package var method: Method
  /// Why it is sockets; empty with AF_XDP.
  package var methodReason: String
  /// How the XDP program is attached; nil if there is none.
  package var mode: ProgramMode?
  /// Why that mode and not a better one; empty if it is the best.
  package var reason: String
  /// Whether the driver moves frames without copying them.
  package var zeroCopy: Bool
  /// The interface's MTU in bytes.
  package var mtu: UInt32
  /// The interface's addresses.
  package var addresses: [IPv4Prefix]
  /// The UDP port that VXLAN is received on.
  package var vxlanPort: UInt16
  /// Whether it can carry frames now.
  package var state: State

  /// Describes the underlay.
  package init(
    interface: String?, method: Method = .xdp, methodReason: String = "", mode: ProgramMode?,
    reason: String = "", zeroCopy: Bool = false, mtu: UInt32, addresses: [IPv4Prefix],
    vxlanPort: UInt16, state: State
  ) {
    self.interface = interface
    self.method = method
    self.methodReason = methodReason
    self.mode = mode
    self.reason = reason
    self.zeroCopy = zeroCopy
    self.mtu = mtu
    self.addresses = addresses
    self.vxlanPort = vxlanPort
    self.state = state
  }

  private enum CodingKeys: String, CodingKey {
    case interface, method, mode, reason, mtu, addresses, state
    case methodReason = "method_reason"
    case zeroCopy = "zero_copy"
    case vxlanPort = "vxlan_port"
  }
}

/// One configured VXLAN endpoint and whether frames can reach it.
package struct EndpointReport: Codable, Sendable, Equatable {
  /// Whether route and next hop are known.
  package enum State: String, Codable, Sendable {
    /// Frames to the endpoint leave with a complete outer header.
    case resolved
    /// Frames to the endpoint are dropped until the reason is gone.
    case unresolved
  }

  /// The endpoint's outer address.
  package var address: IPv4Address
  /// Its VXLAN network identifier.
  package var vni: UInt32
  /// The UDP port it listens on.
  package var port: UInt16
  /// Whether frames can reach it.
  package var state: State
  /// Why it is unresolved; empty if it is resolved.
  package var reason: String
  /// The Ethernet destination of outer frames; nil while unknown.
  package var nextHopMAC: MACAddress?
  /// The interface that the route goes out of; nil without a route.
  package var outInterface: String?
  /// Our outer address towards the endpoint; nil without a route.
  package var sourceAddress: IPv4Address?

  /// Describes one endpoint.
  package init(
    address: IPv4Address, vni: UInt32, port: UInt16, state: State, reason: String = "",
    nextHopMAC: MACAddress? = nil, outInterface: String? = nil, sourceAddress: IPv4Address? = nil
  ) {
    self.address = address
    self.vni = vni
    self.port = port
    self.state = state
    self.reason = reason
    self.nextHopMAC = nextHopMAC
    self.outInterface = outInterface
    self.sourceAddress = sourceAddress
  }

  private enum CodingKeys: String, CodingKey {
    case address, vni, port, state, reason
    case nextHopMAC = "next_hop_mac"
    case outInterface = "out_interface"
    case sourceAddress = "source_address"
  }
}

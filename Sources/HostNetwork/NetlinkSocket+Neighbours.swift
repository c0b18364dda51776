// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import Inet

/// What the kernel knows of an IPv4 address on a link.
package struct Neighbour: Hashable, Sendable {
  /// How far the kernel trusts the entry (RFC 4861, section 7.3.2, applied to ARP).
  package enum State: Hashable, Sendable {
    /// Nothing was asked yet.
    case none
    /// Asked, not answered.
    case incomplete
    /// Answered a short while ago.
    case reachable
    /// Answered longer ago, not asked again; the address is still good to use.
    case stale
    /// Used while stale; it will be asked again soon.
    case delay
    /// Being asked again.
    case probe
    /// Did not answer.
    case failed
    /// Needs no asking.
    case noARP
    /// Entered by an administrator.
    case permanent
  }

  /// The interface the address is on.
  package let interface: InterfaceIndex
  /// The address.
  package let address: IPv4Address
  /// How far the entry is trusted.
  package let state: State
  /// The hardware address, if one is known.
  package let mac: MACAddress?
  /// Whether the kernel keeps the entry fresh without traffic (NTF_EXT_MANAGED).
  package let isManaged: Bool
  /// Which program made the entry, by the numbers that routes have too; 0 if it did not say.
  package let origin: UInt8

  /// Who made the entries of `resolveNeighbour`, so that a successor knows them.
  package static let ownOrigin: UInt8 = 87

  /// Whether we made it and nobody made it permanent since.
  package var isOurs: Bool { isManaged && origin == Self.ownOrigin && state != .permanent }

  /// The hardware address, if frames may be sent to it now.
  package var usableMAC: MACAddress? {
    switch state {
    case .none, .incomplete, .failed: nil
    case .reachable, .stale, .delay, .probe, .noARP, .permanent: mac
    }
  }

  /// Reads an `RTM_NEWNEIGH` or `RTM_DELNEIGH` message; nil if it is not about IPv4 on a link.
  init?(_ reply: NetlinkReply) throws(HostNetworkError) {
    let call = "RTM_GETNEIGH"
    guard let header = reply.header(ndmsg.self) else {
      throw .malformedReply(call: call, reason: "\(reply.payload.count) bytes for a neighbour")
    }
    guard Int32(header.ndm_family) == AF_INET else { return nil }
    let attributes = try reply.attributes(after: ndmsg.self, call: call)
    guard let address = attributes.first(where: { $0.type == NDA_DST })?.address,
      header.ndm_ifindex > 0
    else { throw .malformedReply(call: call, reason: "a neighbour without address or interface") }
    interface = InterfaceIndex(rawValue: header.ndm_ifindex)
    self.address = address
    state = State(bits: Int32(header.ndm_state))
    mac = attributes.first { $0.type == NDA_LLADDR }?.mac
    let flags = attributes.first { $0.type == NDA_FLAGS_EXT }?.uint32 ?? 0
    isManaged = flags & UInt32(NTF_EXT_MANAGED) != 0
    origin = attributes.first { $0.type == NDA_PROTOCOL }?.uint8 ?? 0
  }
}

extension Neighbour.State {
  fileprivate init(bits: Int32) {
    self =
      switch bits {
      case NUD_INCOMPLETE: .incomplete
      case NUD_REACHABLE: .reachable
      case NUD_STALE: .stale
      case NUD_DELAY: .delay
      case NUD_PROBE: .probe
      case NUD_FAILED: .failed
      case NUD_NOARP: .noARP
      case NUD_PERMANENT: .permanent
      default: .none
      }
  }
}

extension NetlinkSocket {
  /// The IPv4 neighbours on all links.
  package mutating func neighbours() throws(HostNetworkError) -> [Neighbour] {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_INET)
    let message = NetlinkMessage(type: RTM_GETNEIGH, header: header)
    return try dump(message, call: "RTM_GETNEIGH") { (reply) throws(HostNetworkError) in
      Int(reply.type) == RTM_NEWNEIGH ? try Neighbour(reply) : nil
    }
  }

  /// What is known of one address on a link, or nil.
  package mutating func neighbour(
    _ address: IPv4Address, on interface: InterfaceIndex
  ) throws(HostNetworkError) -> Neighbour? {
    let message = neighbourMessage(RTM_GETNEIGH, address, interface)
    var found: Neighbour?
    do {
      try request(message, call: "RTM_GETNEIGH", subject: address.description) {
        (reply) throws(HostNetworkError) in found = try Neighbour(reply)
      }
    } catch .system(let error) where error.errno == ENOENT || error.errno == ENODEV {
      return nil
    }
    return found
  }

  /// Has the kernel find an address and keep it fresh, and gives what is known so far.
  ///
  /// An administrator's permanent entry is used as it is: making it managed would strip its
  /// permanence. So is an entry that another program manages. An entry the kernel learned by itself
  /// becomes managed, and ours.
  package mutating func resolveNeighbour(
    _ address: IPv4Address, on interface: InterfaceIndex
  ) throws(HostNetworkError) -> Neighbour? {
    if let known = try neighbour(address, on: interface) {
      if known.isManaged || known.state == .permanent || known.state == .noARP { return known }
      try manage(address, on: interface, flags: NLM_F_CREATE)
    } else {
      do {
        try manage(address, on: interface, flags: NLM_F_CREATE | NLM_F_EXCL)
      } catch .system(let error) where error.errno == EEXIST {
        // Somebody was faster; whether it may be changed is seen at the next call.
      }
    }
    return try neighbour(address, on: interface)
  }

  /// Removes an entry that `resolveNeighbour` made; false if there is none of that kind.
  @discardableResult
  package mutating func removeManagedNeighbour(
    _ address: IPv4Address, on interface: InterfaceIndex
  ) throws(HostNetworkError) -> Bool {
    guard let known = try neighbour(address, on: interface), known.isOurs else { return false }
    do {
      try request(
        neighbourMessage(RTM_DELNEIGH, address, interface), call: "RTM_DELNEIGH",
        subject: address.description)
      return true
    } catch .system(let error) where error.errno == ENOENT {
      return false
    }
  }

  /// Removes every entry that `resolveNeighbour` made, in this process or in an earlier one, but
  /// those of addresses that are still wanted on `interface`.
  package mutating func removeManagedNeighbours(
    except wanted: Set<IPv4Address> = [], on interface: InterfaceIndex? = nil
  ) throws(HostNetworkError) {
    for neighbour in try neighbours() where neighbour.isOurs {
      if neighbour.interface == interface, wanted.contains(neighbour.address) { continue }
      try removeManagedNeighbour(neighbour.address, on: neighbour.interface)
    }
  }

  private mutating func manage(
    _ address: IPv4Address, on interface: InterfaceIndex, flags: Int32
  ) throws(HostNetworkError) {
    var message = neighbourMessage(RTM_NEWNEIGH, flags: flags, address, interface)
    message.append(NDA_FLAGS_EXT, UInt32(NTF_EXT_MANAGED))
    message.append(NDA_PROTOCOL, Neighbour.ownOrigin)
    try request(message, call: "RTM_NEWNEIGH", subject: address.description)
  }

  private func neighbourMessage(
    _ type: Int, flags: Int32 = 0, _ address: IPv4Address, _ interface: InterfaceIndex
  ) -> NetlinkMessage {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_INET)
    header.ndm_ifindex = interface.rawValue
    var message = NetlinkMessage(type: type, flags: flags, header: header)
    message.append(NDA_DST, address)
    return message
  }
}

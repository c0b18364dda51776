// SPDX-License-Identifier: Apache-2.0

package import Inet

/// The body of `POST /attachments`: give a container an interface with addresses in the overlay.
package struct AttachRequest: StrictRequest {
  /// Path of the container's network namespace; nil if `pid` names it.
  package var netns: String?
  /// A process in the container's network namespace; nil if `netns` names it.
  package var pid: Int32?
  /// The container's addresses, each with the length of its subnet's prefix.
  package var addresses: [IPv4Prefix]
  /// The interface's own MAC address; nil to have one made.
  package var mac: MACAddress?
  /// The interface's name in the container; nil for the daemon's usual one.
  package var interface: String?

  /// Addresses one request may name.
  package static let addressCountMax = 8

  /// A request as the user gave it; nothing is checked yet.
  package init(
    netns: String? = nil, pid: Int32? = nil, addresses: [IPv4Prefix], mac: MACAddress? = nil,
    interface: String? = nil
  ) {
    self.netns = netns
    self.pid = pid
    self.addresses = addresses
    self.mac = mac
    self.interface = interface
  }

  /// Every JSON key and what it accepts.
  package static let fields = [
    (name: "netns", accepted: "an absolute path of at most 4096 bytes like /run/netns/c1"),
    (name: "pid", accepted: "the id of a running process, 1 to 2147483647"),
    (
      name: "addresses",
      accepted: "1 to 8 addresses of a host with their prefix length like 10.32.0.1/12"
    ),
    (name: "mac", accepted: "a unicast MAC address like 02:00:00:00:00:0a"),
    (
      name: "interface",
      accepted: "a name of 1 to 15 letters, digits and punctuation, without / : % and spaces"
    ),
  ]

  private enum CodingKeys: String, CodingKey {
    case netns, pid, addresses, mac, interface
  }

  /// Decodes a request; a key that is no field is refused with a `RequestError`.
  package init(from decoder: any Decoder) throws {
    try Self.refuseUnknownFields(decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    netns = try container.decodeIfPresent(String.self, forKey: .netns)
    pid = try container.decodeNumber(Int32.self, forKey: .pid, of: Self.self)
    addresses = try container.decode([IPv4Prefix].self, forKey: .addresses)
    mac = try container.decodeIfPresent(MACAddress.self, forKey: .mac)
    interface = try container.decodeIfPresent(String.self, forKey: .interface)
  }
}

extension AttachRequest {
  /// An attach request in which every value has been checked.
  package struct Validated: Equatable, Sendable {
    /// Where the container's interface goes.
    package let namespace: ContainerNamespace
    /// One to eight different addresses that a host may have in their subnets.
    package let addresses: [IPv4Prefix]
    /// A station's address, or nil to have one made.
    package let mac: MACAddress?
    /// A name the kernel accepts, or nil for the usual one.
    package let interface: String?
  }

  /// Checks everything that can be known from the request alone.
  package func validated() throws(RequestError) -> Validated {
    let namespace = try ContainerNamespace(netns: netns, pid: pid, of: Self.self)
    guard 1...Self.addressCountMax ~= addresses.count else {
      throw RequestError(
        "\(addresses.count) addresses are given", field: "addresses",
        accepted: Self.accepted("addresses"))
    }
    try AddressList.check(addresses)
    if let mac, !mac.isStation {
      throw RequestError(
        "\(mac) cannot be the address of one interface", field: "mac",
        accepted: Self.accepted("mac"))
    }
    if let interface, !InterfaceName.isValid(interface) {
      throw RequestError(
        "the interface's name is not usable", field: "interface",
        accepted: Self.accepted("interface"))
    }
    return Validated(namespace: namespace, addresses: addresses, mac: mac, interface: interface)
  }
}

/// What a list of a container's addresses must satisfy.
enum AddressList {
  /// Throws for the first address that a host may not have in its subnet, or that comes twice.
  static func check(_ addresses: [IPv4Prefix]) throws(RequestError) {
    for (index, prefix) in addresses.enumerated() {
      guard let mistake = mistake(prefix, after: addresses[..<index]) else { continue }
      throw RequestError(
        "\(prefix) \(mistake)", field: "addresses[\(index)]",
        accepted: "a host's unicast address with a prefix length of 1 to 32 like 10.32.0.1/12")
    }
  }

  private static func mistake(
    _ prefix: IPv4Prefix, after earlier: ArraySlice<IPv4Prefix>
  ) -> String? {
    if prefix.length == 0 { return "makes every address a neighbour" }
    if !prefix.address.isUnicast { return "is not a unicast address" }
    if prefix.length <= 30 {
      if prefix.address == prefix.network { return "is the address of the subnet itself" }
      if prefix.address == prefix.broadcast { return "is the subnet's broadcast address" }
    }
    if earlier.contains(where: { $0.address == prefix.address }) { return "is given twice" }
    return nil
  }
}

/// What the kernel accepts as the name of an interface.
private enum InterfaceName {
  /// Bytes a name may have (`IFNAMSIZ` less the terminating zero).
  static let lengthMax = 15

  /// Whether the kernel and every tool that prints the name can live with it.
  ///
  /// Stricter than the kernel in two points: bytes outside printable ASCII, which terminals
  /// interpret, and `%`, which the kernel takes as a pattern to number names by.
  static func isValid(_ name: String) -> Bool {
    guard 1...lengthMax ~= name.utf8.count, name != ".", name != ".." else { return false }
    return name.utf8.allSatisfy { byte in
      (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "/") && byte != UInt8(ascii: ":")
        && byte != UInt8(ascii: "%")
    }
  }
}

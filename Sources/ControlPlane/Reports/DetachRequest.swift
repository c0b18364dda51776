// SPDX-License-Identifier: Apache-2.0

package import Inet

/// The body of `DELETE /attachments`: take addresses, or the whole interface, from a container.
package struct DetachRequest: StrictRequest {
  /// Path of the container's network namespace; nil if `pid` names it.
  package var netns: String?
  /// A process in the container's network namespace; nil if `netns` names it.
  package var pid: Int32?
  /// The addresses to take away; empty for all.
  ///
  /// The interface goes with the last one.
  package var addresses: [IPv4Prefix]

  /// A request as the user gave it; nothing is checked yet.
  package init(netns: String? = nil, pid: Int32? = nil, addresses: [IPv4Prefix] = []) {
    self.netns = netns
    self.pid = pid
    self.addresses = addresses
  }

  /// Every JSON key and what it accepts.
  package static let fields = [
    (name: "netns", accepted: AttachRequest.accepted("netns")),
    (name: "pid", accepted: AttachRequest.accepted("pid")),
    (
      name: "addresses",
      accepted: "up to 8 addresses with their prefix length like 10.32.0.1/12, none for all"
    ),
  ]

  private enum CodingKeys: String, CodingKey {
    case netns, pid, addresses
  }

  /// Decodes a request; a key that is no field is refused with a `RequestError`.
  package init(from decoder: any Decoder) throws {
    try Self.refuseUnknownFields(decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    netns = try container.decodeIfPresent(String.self, forKey: .netns)
    pid = try container.decodeNumber(Int32.self, forKey: .pid, of: Self.self)
    addresses = try container.decodeIfPresent([IPv4Prefix].self, forKey: .addresses) ?? []
  }
}

extension DetachRequest {
  /// A detach request in which every value has been checked.
  package struct Validated: Equatable, Sendable {
    /// Where the container's interface is.
    package let namespace: ContainerNamespace
    /// Up to eight different addresses; none means all.
    package let addresses: [IPv4Prefix]
  }

  /// Checks everything that can be known from the request alone.
  package func validated() throws(RequestError) -> Validated {
    let namespace = try ContainerNamespace(netns: netns, pid: pid, of: Self.self)
    guard addresses.count <= AttachRequest.addressCountMax else {
      throw RequestError(
        "\(addresses.count) addresses are given", field: "addresses",
        accepted: Self.accepted("addresses"))
    }
    try AddressList.check(addresses)
    return Validated(namespace: namespace, addresses: addresses)
  }
}

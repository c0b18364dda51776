// SPDX-License-Identifier: Apache-2.0

/// The attachments the kernel knows of, as found after a restart.
package struct AttachmentListing: Equatable, Sendable {
  /// An interface whose alias is not an attachment's.
  package struct Ignored: Equatable, Sendable {
    /// The interface's name.
    package let interface: String
    /// Its alias.
    package let alias: String
    /// What is wrong with it.
    package let reason: AttachmentRecord.DecodingError
  }

  /// The attachments, in the order of the host ends' numbers.
  package let attachments: [ContainerInterface]
  /// Interfaces with another alias; only damaged ones need anybody's attention.
  package let ignored: [Ignored]
  /// Pairs of attachments that were cut short, and about which nobody was told: veths with a name
  /// of ours (`hostEndName`) and no alias.
  package let unfinished: [Link]

  /// Reads the aliases of all interfaces of the calling thread's namespace.
  package static func read() throws(HostNetworkError) -> AttachmentListing {
    var netlink = try NetlinkSocket()
    return AttachmentListing(try netlink.links())
  }

  /// Sorts out which interfaces are attachments.
  package init(_ links: [Link]) {
    var attachments: [ContainerInterface] = []
    var ignored: [Ignored] = []
    unfinished = links.filter {
      $0.alias == nil && $0.kind == "veth" && AttachmentListing.isHostEndName($0.name)
    }
    for link in links.sorted(by: { $0.index.rawValue < $1.index.rawValue }) {
      guard let alias = link.alias, alias != HostPair.alias else { continue }
      do throws(AttachmentRecord.DecodingError) {
        let record = try AttachmentRecord(decoding: alias)
        guard link.kind == "veth" else { throw .damaged(reason: "not a veth") }
        attachments.append(ContainerInterface(hostEnd: link, record: record))
      } catch {
        ignored.append(Ignored(interface: link.name, alias: alias, reason: error))
      }
    }
    self.attachments = attachments
    self.ignored = ignored
  }

  /// A name for the host's end of a pair, by which it is known while it has no alias.
  package static func hostEndName(_ number: UInt32) -> String {
    let digits = String(number, radix: 16)
    return namePrefix + String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static let namePrefix = "weft-"

  private static func isHostEndName(_ name: String) -> Bool {
    name.hasPrefix(namePrefix)
      && UInt32(name.dropFirst(namePrefix.count), radix: 16)
        .map { hostEndName($0) == name } == true
  }

  /// Deletes the pairs that were cut short; returns their names.
  package func removeUnfinished() throws(HostNetworkError) -> [String] {
    guard !unfinished.isEmpty else { return [] }
    var netlink = try NetlinkSocket()
    for link in unfinished { try netlink.deleteLink(link.index) }
    return unfinished.map(\.name)
  }
}

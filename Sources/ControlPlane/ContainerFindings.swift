// SPDX-License-Identifier: Apache-2.0

internal import HostNetwork
internal import Inet

/// In what a container's interface differs from its record.
struct ContainerFindings: Equatable {
  /// The interface's new name in the container.
  var newName: String?
  /// Addresses that the container had been given and has no more.
  var lostAddresses: [IPv4Prefix] = []
  /// Why no frame passes, and what to do; nil if they do.
  var trouble: String?
  /// The longest packet that both ends carry.
  var mtu: Int

  /// What a container may lower it to: less would have us cut packets into crumbs.
  static let mtuMin = 576

  /// What the kernel says of the two ends.
  struct Ends: Equatable {
    var hostEnd: String
    var isHostEndUp: Bool
    var hostEndMTU: Int
    var containerEnd: String
    var isContainerEndUp: Bool
    var containerEndMTU: Int
    var addresses: [IPv4Prefix]
  }

  init(_ record: AttachmentRecord, _ ends: Ends) {
    mtu = min(ends.hostEndMTU, max(ends.containerEndMTU, ContainerFindings.mtuMin))
    if ends.containerEnd != record.containerInterface { newName = ends.containerEnd }
    lostAddresses = record.addresses.filter { !ends.addresses.contains($0) }
    if !ends.isHostEndUp {
      trouble = "\(ends.hostEnd) is down; set it up: ip link set dev \(ends.hostEnd) up"
    } else if !ends.isContainerEndUp {
      trouble = "\(ends.containerEnd) is down in the container; set it up there"
    }
  }
}

extension ContainerFindings.Ends {
  init(_ presence: ContainerCondition.Presence) {
    hostEnd = presence.hostEnd.name
    isHostEndUp = presence.hostEnd.isUp
    hostEndMTU = presence.hostEnd.mtu
    containerEnd = presence.containerEnd.name
    isContainerEndUp = presence.containerEnd.isUp
    containerEndMTU = presence.containerEnd.mtu
    addresses = presence.addresses
  }
}

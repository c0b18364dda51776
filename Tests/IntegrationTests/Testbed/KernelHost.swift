// SPDX-License-Identifier: Apache-2.0

/// A host without weftd: the kernel's own VXLAN and a bridge with the containers.
final class KernelHost {
  /// The host's network, with `eth0`.
  let namespace: TestNamespace
  let place: TestHost.Place

  init(_ place: TestHost.Place) throws {
    self.place = place
    namespace = try TestNamespace("kernel")
  }

  /// Makes tunnel and bridge; `eth0` is there.
  func start() throws {
    try namespace.ip("link add br0 type bridge")
    try namespace.ip("link set br0 mtu 1450 up")
    try namespace.ip(
      "link add vxlan0 type vxlan id 42 dstport 4789 remote \(place.peer) local \(place.address) "
        + "dev eth0")
    try namespace.ip("link set vxlan0 mtu 1450 master br0 up")
  }

  /// Plugs a container into the bridge.
  func attach(_ container: TestContainer) throws {
    let port = "p\(container.address.split(separator: ".").last ?? "")"
    try namespace.ip(
      "link add \(port) mtu 1450 type veth peer name eth1 mtu 1450 netns "
        + container.namespace.name)
    try namespace.ip("link set \(port) master br0 up")
    try container.namespace.ip("address add \(container.prefix) broadcast + dev eth1")
    try container.namespace.ip("link set eth1 up")
    try container.namespace.finishFrames(of: "eth1")
    container.interface = "eth1"
  }
}

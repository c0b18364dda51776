// SPDX-License-Identifier: Apache-2.0

extension WeaveRouter {
  /// Plugs a container into the router's bridge, as `weave attach` does.
  func attach(_ container: TestContainer) throws {
    let port = "v\(container.address.split(separator: ".").last ?? "0")"
    let inside = container.namespace
    try namespace.ip("link add \(port) type veth peer name ethwe netns \(inside.name)")
    for (place, interface) in [(namespace, port), (inside, "ethwe")] {
      try place.ip("link set \(interface) mtu \(Self.containerMTU)")
      try place.finishFrames(of: interface)
    }
    try namespace.ip("link set \(port) master weave up")
    try inside.ip("address add \(container.prefix) dev ethwe")
    try inside.ip("link set ethwe up")
    try inside.ip("route add 224.0.0.0/4 dev ethwe")
    container.interface = "ethwe"
  }

  /// What Weave Net gives containers where frames travel by sleeve.
  private static let containerMTU = 65_535
}

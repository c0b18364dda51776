// SPDX-License-Identifier: Apache-2.0

internal import HostNetwork

/// Whether the interface to the other hosts is used through AF_XDP or through the kernel's sockets.
enum UnderlayChoice {
  /// What decides about an interface, before anything is tried on it.
  struct Interface: Equatable {
    let name: String
    /// What made it, in the kernel's word; nil for hardware.
    var kind: String?
    var isEthernet = true
    var isLoopback = false
  }

  /// Why an interface, nil if none is configured, is not to be used through AF_XDP; nil if that is
  /// to be tried.
  static func obstacle(mode: UnderlayMode, interface: Interface?) -> String? {
    guard let interface else { return "no interface is configured" }
    if mode == .socket { return "underlay.mode is \"socket\"" }
    if interface.isLoopback { return "\(interface.name) is the loopback interface" }
    guard interface.isEthernet else {
      return "\(interface.name) is \(interface.kind.map(noun(of:)) ?? "not an Ethernet interface")"
    }
    // One that others see through has a program in the wrong place: what leaves and arrives below
    // it, or beside it, would pass by. Whoever asks for it can have it.
    guard mode == .automatic, let kind = interface.kind, !plainKinds.contains(kind) else {
      return nil
    }
    return "\(interface.name) is \(noun(of: kind))"
  }

  /// Kinds that are as good as hardware.
  private static let plainKinds: Set = ["veth"]

  private static func noun(of kind: String) -> String {
    switch kind {
    case "bridge": "a bridge"
    case "bond": "a bond"
    case "team": "a team"
    case "vlan": "a VLAN"
    case "macvlan": "a macvlan"
    case "tun": "a tun or tap device"
    case "wireguard": "a WireGuard interface"
    default: "an interface of kind \(kind)"
    }
  }
}

extension Link {
  /// What decides whether it is used through AF_XDP.
  var facts: UnderlayChoice.Interface {
    UnderlayChoice.Interface(
      name: name, kind: kind, isEthernet: isEthernet, isLoopback: isLoopback)
  }
}

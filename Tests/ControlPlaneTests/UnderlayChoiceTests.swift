// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ControlPlane

@Suite struct UnderlayChoiceTests {
  private func obstacle(
    _ mode: UnderlayMode, _ name: String = "eth0", kind: String? = nil,
    _ change: (inout UnderlayChoice.Interface) -> Void = { _ in }
  ) -> String? {
    var interface = UnderlayChoice.Interface(name: name, kind: kind)
    change(&interface)
    return UnderlayChoice.obstacle(mode: mode, interface: interface)
  }

  @Test func hardwareAndVethAreTriedUnlessSocketsAreWanted() {
    for kind in [nil, "veth"] {
      #expect(obstacle(.automatic, kind: kind) == nil)
      #expect(obstacle(.xdp, kind: kind) == nil)
      #expect(obstacle(.socket, kind: kind) == "underlay.mode is \"socket\"")
    }
  }

  @Test func withoutAnInterfaceThereIsNothingToTry() {
    for mode in UnderlayMode.allCases {
      #expect(
        UnderlayChoice.obstacle(mode: mode, interface: nil) == "no interface is configured")
    }
  }

  @Test(arguments: [
    ("bridge", "a bridge"), ("bond", "a bond"), ("vlan", "a VLAN"), ("macvlan", "a macvlan"),
    ("tun", "a tun or tap device"), ("team", "a team"),
    ("wireguard", "a WireGuard interface"), ("vxlan", "an interface of kind vxlan"),
  ])
  func whatIsMadeOfOthersIsTriedOnlyIfItHasToBe(kind: String, noun: String) {
    #expect(obstacle(.automatic, "x0", kind: kind) == "x0 is \(noun)")
    #expect(obstacle(.xdp, "x0", kind: kind) == nil)
  }

  @Test(arguments: [UnderlayMode.automatic, .xdp])
  func whatHasNoEthernetFramesIsNeverTried(mode: UnderlayMode) {
    #expect(obstacle(mode, "lo") { $0.isLoopback = true } == "lo is the loopback interface")
    #expect(
      obstacle(mode, "tun0", kind: "tun") { $0.isEthernet = false }
        == "tun0 is a tun or tap device")
    #expect(
      obstacle(mode, "ib0") { $0.isEthernet = false } == "ib0 is not an Ethernet interface")
  }
}

// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

@testable import ControlPlane

@Suite struct ContainerFindingsTests {
  private let addresses = ["10.32.0.1/24", "10.33.0.1/24"].compactMap { IPv4Prefix($0) }

  private var record: AttachmentRecord {
    AttachmentRecord(
      containerInterface: "ethwe", mac: MACAddress(bits: 0x0200_0000_000A), addresses: addresses,
      namespaceInode: 7, namespacePath: "/run/netns/c1")
  }

  private func findings(
    _ change: (inout ContainerFindings.Ends) -> Void
  ) -> ContainerFindings {
    var ends = ContainerFindings.Ends(
      hostEnd: "weft-00000001", isHostEndUp: true, hostEndMTU: 1450, containerEnd: "ethwe",
      isContainerEndUp: true, containerEndMTU: 1450, addresses: addresses)
    change(&ends)
    return ContainerFindings(record, ends)
  }

  @Test func nothingIsFoundWhereAllIsAsRecorded() {
    let found = findings { _ in }
    #expect(found.newName == nil)
    #expect(found.lostAddresses.isEmpty)
    #expect(found.trouble == nil)
  }

  @Test func addressesOfTheContainersOwnAreNoneOfOurBusiness() {
    let found = findings { $0.addresses += [IPv4Prefix("172.17.0.2/16")].compactMap(\.self) }
    #expect(found == findings { _ in })
  }

  @Test func newNameAndLostAddressesAreFound() {
    let found = findings { ends in
      ends.containerEnd = "eth7"
      ends.addresses.removeFirst()
    }
    #expect(found.newName == "eth7")
    #expect(found.lostAddresses == [addresses[0]])
    #expect(found.trouble == nil)
    #expect(findings { $0.addresses = [] }.lostAddresses == addresses)
  }

  @Test(arguments: [
    (1450, 1450, 1450), (1450, 600, 600), (1450, 9000, 1450), (1000, 1400, 1000),
    (1450, 68, 576), (550, 68, 550),
  ])
  func smallerEndSaysHowMuchPasses(hostEnd: Int, containerEnd: Int, mtu: Int) {
    let found = findings { ends in
      ends.hostEndMTU = hostEnd
      ends.containerEndMTU = containerEnd
    }
    #expect(found.mtu == mtu)
  }

  @Test func endThatIsDownIsNamed() {
    #expect(
      findings { $0.isHostEndUp = false }.trouble
        == "weft-00000001 is down; set it up: ip link set dev weft-00000001 up")
    #expect(
      findings { $0.isContainerEndUp = false }.trouble
        == "ethwe is down in the container; set it up there")
  }
}

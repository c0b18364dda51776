// SPDX-License-Identifier: Apache-2.0

import Inet
import Testing

@testable import ControlPlane

@Suite struct UnderlayConditionTests {
  private let inUse = UnderlayCondition(
    name: "eth0", index: 2, mtu: 1500, program: 40, queueCount: 2)
  private let addresses = [IPv4Prefix("192.0.2.1/24")].compactMap(\.self)

  private func changed(_ change: (inout UnderlayCondition) -> Void) -> UnderlayCondition {
    var condition = inUse
    change(&condition)
    return condition
  }

  @Test func portStaysWhileTheInterfaceIsTheSame() {
    #expect(inUse.interruption(by: inUse) == nil)
    #expect(inUse.interruption(by: changed { $0.isUp = false }) == nil)
    #expect(inUse.interruption(by: changed { $0.hasCarrier = false }) == nil)
    #expect(inUse.interruption(by: changed { $0.queueCount = nil }) == nil)
  }

  @Test func portIsClosedForWhatItCannotFollow() {
    let reasons = [
      inUse.interruption(by: nil), inUse.interruption(by: changed { $0.index = 3 }),
      inUse.interruption(by: changed { $0.mtu = 1400 }),
      inUse.interruption(by: changed { $0.program = nil }),
      inUse.interruption(by: changed { $0.program = 41 }),
      inUse.interruption(by: changed { $0.queueCount = 4 }),
    ]
    #expect(
      reasons == [
        "interface eth0 is gone", "another interface is named eth0 now",
        "the MTU of eth0 changed from 1500 to 1400", "the XDP program of eth0 was taken off",
        "the XDP program of eth0 was replaced",
        "the number of queues of eth0 changed from 2 to 4",
      ])
  }

  @Test func nothingIsWrongWithAnInterfaceThatWorks() {
    #expect(inUse.problems(addresses: addresses, overlayMTU: 1450) == [])
    #expect(inUse.problems(addresses: addresses, overlayMTU: 1300) == [])
  }

  @Test func containersGetWhatFitsInOnePieceUnlessMoreIsWanted() {
    func overlayMTU(_ wanted: Int?, _ mtu: Int?, frame: Int = 65_549) -> Int {
      UnderlayCondition.overlayMTU(wanted: wanted, mtu: mtu, frameLengthMax: frame)
    }
    #expect(overlayMTU(nil, 1500) == 1450)
    #expect(overlayMTU(nil, 65_536) == 65_481)
    #expect(overlayMTU(nil, 9000, frame: 3840) == 3772)
    #expect(overlayMTU(nil, nil) == 1450)
    for wanted in [576, 1450, 1500, 65_535] {
      #expect(overlayMTU(wanted, 1500) == wanted)
      #expect(overlayMTU(wanted, nil) == wanted)
    }
    #expect(overlayMTU(65_535, 1500, frame: 3840) == 3826)
    for mtu in [50, 49, 20, 0] { #expect(overlayMTU(nil, mtu) == 0) }
  }

  @Test func eachProblemSaysWhatToDo() {
    let down = changed { ($0.isUp, $0.hasCarrier) = (false, false) }
    #expect(
      down.problems(addresses: addresses, overlayMTU: 1450) == [
        "eth0 is down; set it up: ip link set dev eth0 up"
      ])
    let unplugged = changed { $0.hasCarrier = false }
    #expect(
      unplugged.problems(addresses: [], overlayMTU: 1450) == [
        "eth0 has no carrier; look at its cable or at its other end",
        "eth0 has no IPv4 address; add one, endpoints reach us by it",
      ])
    let narrow = changed { $0.mtu = 1400 }.problems(addresses: addresses, overlayMTU: 1450)
    #expect(narrow.count == 1)
    for text in ["MTU of 1400", "1350 bytes", "which have 1450", "set it to 1500", "mtu to 1350"] {
      #expect(narrow.first?.contains(text) == true, "\(text) is not in \(narrow)")
    }
    let useless = changed { $0.mtu = 20 }.problems(addresses: addresses, overlayMTU: 1450)
    #expect(useless.first?.contains("leaves 0 bytes") == true)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Testing

struct VerdictTests {
  @Test func everyReasonComesBack() {
    for reason in DropReason.allCases {
      #expect(Verdict.drop(reason).dropReason == reason)
      #expect(Verdict.drop(reason).location == nil)
    }
  }

  @Test(arguments: [UInt16(0), 1, 0x8000, .max])
  func everyLocationComesBack(number: UInt16) {
    for location in [Location(PortIndex(number)), Location(EndpointIndex(number))] {
      #expect(Verdict.forward(location).location == location)
      #expect(Verdict.forward(location).dropReason == nil)
    }
  }

  @Test(arguments: [UInt16(0), 1, 0x8000, .max])
  func relayNamesItsPeerAndNoLocation(number: UInt16) {
    let verdict = Verdict.relay(EndpointIndex(number))
    #expect(verdict.relayed == EndpointIndex(number))
    #expect(verdict.location == nil && verdict.dropReason == nil)
    #expect(Verdict.forward(Location(peer: EndpointIndex(number))).relayed == nil)
  }

  @Test func allDiffer() {
    var verdicts = DropReason.allCases.map { Verdict.drop($0) } + [.undecided, .flood]
    #expect(verdicts.allSatisfy { $0.relayed == nil })
    for number in [UInt16(0), 1, .max] {
      verdicts.append(.relay(EndpointIndex(number)))
      verdicts.append(.forward(Location(peer: EndpointIndex(number))))
      verdicts.append(.forward(Location(PortIndex(number))))
      verdicts.append(.forward(Location(EndpointIndex(number))))
    }
    for (index, verdict) in verdicts.enumerated() {
      #expect(verdicts.lastIndex(of: verdict) == index)
    }
    #expect(Verdict.undecided.location == nil && Verdict.flood.location == nil)
    #expect(Verdict.undecided.dropReason == nil && Verdict.flood.dropReason == nil)
  }
}

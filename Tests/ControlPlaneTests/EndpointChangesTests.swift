// SPDX-License-Identifier: Apache-2.0

import Inet
import Testing

@testable import ControlPlane

@Suite struct EndpointChangesSuite {
  private typealias Endpoint = ControlPlane.Options.Endpoint

  private func endpoint(_ host: UInt32, _ network: UInt32 = 1, port: UInt16 = 4789) -> Endpoint {
    Endpoint(
      address: IPv4Address(bits: 0xC000_0200 + host), network: VirtualNetwork(bits: network),
      port: port)
  }

  @Test func whatIsTheSameIsLeftAloneInWhateverOrder() {
    let changes = EndpointChanges(
      from: [endpoint(1), endpoint(2), endpoint(3)], to: [endpoint(3), endpoint(1), endpoint(2)])
    #expect(changes.removed.isEmpty && changes.moved.isEmpty && changes.added.isEmpty)
  }

  @Test func eachChangeIsOfOneKind() {
    let changes = EndpointChanges(
      from: [endpoint(1), endpoint(2), endpoint(3)],
      to: [endpoint(4), endpoint(2, port: 99), endpoint(1), endpoint(3, 2)])
    #expect(changes.removed == [endpoint(3)])
    #expect(changes.moved == [endpoint(2, port: 99)])
    #expect(changes.added == [endpoint(4), endpoint(3, 2)])
  }

  @Test func allCanGoAndAllCanCome() {
    let all = [endpoint(1), endpoint(2)]
    #expect(EndpointChanges(from: all, to: []).removed == all)
    #expect(EndpointChanges(from: [], to: all).added == all)
  }
}

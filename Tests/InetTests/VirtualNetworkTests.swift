// SPDX-License-Identifier: Apache-2.0

import Inet
import Testing

@Suite struct VirtualNetworkTests {
  @Test func onlyTheLow24BitsAreKept() {
    #expect(VirtualNetwork(bits: .max).bits == 0xFF_FFFF)
    #expect(VirtualNetwork(bits: 0x0100_0000).bits == 0)
    #expect(VirtualNetwork(bits: 42) == VirtualNetwork(bits: 0xFF00_002A))
  }

  @Test func printsAsADecimalNumber() {
    #expect(VirtualNetwork(bits: 0x12_3ABC).description == "1194684")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Glibc
import Testing
import XDP

@Suite struct DataplaneErrorTests {
  @Test func whatFailsAfterTheProgramIsAttachedSaysSo() {
    let busy = XDPError(call: "binding", number: EBUSY, subject: "queue 0 of eth0")
    let after: [DataplaneError] = [.socket(busy), .workerSilent(0), .tooManyPorts(limit: 8)]
    #expect(after.map(\.mayFollowAttach) == [true, true, true])
  }

  @Test func interfaceThatWasLeftAloneMayBeTriedAgainAtOnce() {
    #expect(!DataplaneError.thread(core: 0, number: EAGAIN).mayFollowAttach)
  }
}

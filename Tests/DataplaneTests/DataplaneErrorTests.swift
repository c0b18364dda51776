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
    let before: [DataplaneError] = [
      .tooFewQueues(interface: "eth0", queues: 1, workers: 2), .thread(core: 0, number: EAGAIN),
    ]
    #expect(before.map(\.mayFollowAttach) == [false, false])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

extension RealHosts {
  /// A container that changes its host.
  @Suite struct MoveTests {
    @Test(.timeLimit(.minutes(5)))
    func containerMovedWithItsAddressesAnswersWithinTwoSeconds() throws {
      try Testbed.run(containers: 1) { bed in
        let (onA, onB) = (bed.containersOfA[0], bed.containersOfB[0])
        let before = try TestContainer(50)
        try bed.a.attach(before, mac: "02:00:00:00:00:50")
        try onA.ping(before)
        try onB.ping(before)
        try before.ping(onB)

        try bed.a.detach(before)
        before.namespace.delete()
        let after = try TestContainer(50)
        try bed.b.attach(after, mac: "02:00:00:00:00:50")
        try onA.pingUntilAnswered(after)
        try onB.pingUntilAnswered(after)
        try after.ping(onA)

        try bed.b.detach(after)
        after.namespace.delete()
        let again = try TestContainer(50)
        try bed.a.attach(again, mac: "02:00:00:00:00:50")
        try onB.pingUntilAnswered(again)
        try onA.pingUntilAnswered(again)
      }
    }
  }
}

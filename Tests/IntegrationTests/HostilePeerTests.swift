// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// A host on the wire that attacks the mesh of two others, which go on as if there were nobody.
  @Suite struct HostilePeerTests {
    @Test(.timeLimit(.minutes(5))) func wrongIntroductionsAreRefusedWithTheirReasons() throws {
      try Siege.run { siege in
        // Sent away after a while, during which the others come.
        let mute = try siege.start("mute")
        for (role, count) in [("garbage", 60), ("lengths", 5), ("introductions", 4)] {
          try siege.wait(for: try siege.start(role, "\(count)"))
        }
        try siege.wait(for: try siege.start("leavers", "20"), mute)
        let expected: [(reason: String, count: UInt64)] = [
          // Of introductions, eight are nonsense, one is too long, one of another version, and one
          // has a password.
          ("not_weave", 60), ("too_long", 5 * 4 + 4), ("features", 4 * 8), ("version", 4),
          ("password", 4), ("closed", 20), ("slow", 1),
        ]
        try eventually("all are refused", within: .seconds(20)) {
          try siege.refused("closed") >= 20
        }
        for (reason, count) in expected { #expect(try siege.refused(reason) == count, "\(reason)") }
        #expect(try siege.host.status().mesh?.terminations == 0)
      }
    }

    @Test(.timeLimit(.minutes(5))) func crowdsOfStrangersLeaveRoomForOthers() throws {
      try Siege.run { siege in
        let slow = try siege.start("slow", "300", "15")
        try siege.wait(for: try siege.start("crowd", "1000", "5"))
        // Whoever means well is let in all the same.
        try siege.wait(for: try siege.start("guest"), slow)
        // Twenty are let in each second, and few of one host may stay.
        #expect(try siege.refused("crowded") >= 50)
        try eventually("the guest has left") {
          try siege.host.status().mesh?.terminations == 1
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func peersThatLieAreEndedAndForgotten() throws {
      try Siege.run { siege in
        let member = try siege.start("member", "2000")
        try siege.wait(for: try siege.start("datagrams", "20000"))
        try siege.wait(for: member)
        try eventually("invented peers are forgotten", within: .seconds(30)) {
          try siege.host.status().mesh?.peers == 2 && siege.other.status().mesh?.peers == 2
        }
        // The offenders, the one who held much, and the liar.
        #expect(try siege.host.status().mesh?.terminations == 9)
      }
    }
  }
}

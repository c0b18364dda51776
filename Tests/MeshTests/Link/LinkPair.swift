// SPDX-License-Identifier: Apache-2.0

import Sealing
import TestSupport

@testable import Mesh

/// Two ends of a session with a wire between them that cuts bytes anywhere.
struct LinkPair {
  /// One end, and what the other one told it.
  struct End {
    var session: LinkSession
    var bodies: [[UInt8]] = []
    /// On its way to this end.
    var wire: [UInt8] = []
    var error: LinkError?
  }

  var dialler: End
  var acceptor: End
  var random: SeededGenerator

  init(_ dialler: LinkSession, _ acceptor: LinkSession, _ random: SeededGenerator) {
    self.dialler = End(session: dialler)
    self.acceptor = End(session: acceptor)
    self.random = random
    self.acceptor.wire = dialler.start
    self.dialler.wire = acceptor.start
  }

  /// A pair with these passwords; features are `dialler` and `acceptor`.
  init(_ passwords: (String?, String?), _ random: SeededGenerator) {
    var random = random
    self.init(
      .made(isOutbound: true, passwords.0, "dialler", &random),
      .made(isOutbound: false, passwords.1, "acceptor", &random), random)
  }

  /// Carries bytes until none is left or an end has refused.
  mutating func run() {
    while dialler.canTake || acceptor.canTake {
      let isTowardsDialler = acceptor.canTake ? random.next() & 1 == 0 : true
      if isTowardsDialler && dialler.canTake {
        acceptor.wire += dialler.take(&random)
      } else {
        dialler.wire += acceptor.take(&random)
      }
    }
  }
}

extension LinkPair.End {
  var canTake: Bool { !wire.isEmpty && error == nil }

  /// Takes a few bytes, mostly very few; the answer.
  mutating func take(_ random: inout SeededGenerator) -> [UInt8] {
    let most = [1, 2, 5, 40, 3000][random.number(below: 5)]
    let piece = Array(wire.prefix(1 + random.number(below: most)))
    wire.removeFirst(piece.count)
    do {
      let progress = try session.receive(piece)
      bodies += progress.bodies
      return progress.reply
    } catch {
      self.error = error
      return []
    }
  }
}

extension LinkSession {
  /// A session with a drawn key pair.
  static func made(
    isOutbound: Bool, _ password: String?, _ features: String, _ random: inout SeededGenerator
  ) -> LinkSession {
    let options = Link.Options(
      isOutbound: isOutbound, password: password.map { Password(Array($0.utf8)) },
      keyPair: KeyPair(random: &random))
    return LinkSession(options, features: Array(features.utf8))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
@testable import Sealing

/// With what a frame is sealed, and in which connection.
struct Seal: Sendable {
  let key: FrameKey
  let connectionUID: UInt64
}

/// Frames that are sealed.
extension World {
  /// A sealed frame comes to a host, which may be busy: its data plane is not.
  func open(_ special: OverlaySpecial, _ seal: Seal, at number: Int) {
    let neighbours = hosts[number].machine.forwarding.neighbours
    // What belongs to a connection that ended is nobody's.
    guard let neighbour = neighbours.first(where: { $0.name == special.peer }),
      neighbour.connectionUID == seal.connectionUID
    else { return }
    let link = special.overlay == .fastdp ? neighbour.fastdp : neighbour.sleeve
    let isOpened = link?.security?.openings.contains { $0.opens(seal.key) } ?? false
    expect(isOpened, number, "a frame of a connection that there is can be opened")
    if isOpened { give(.special(special), to: number) }
  }

  /// Every link of a sealed connection has keys, not too many, and nobody else's.
  func judgeKeys(_ number: Int, _ forwarding: MeshForwarding) {
    var identifiers: [UInt32] = []
    for neighbour in forwarding.neighbours {
      for link in [neighbour.fastdp, neighbour.sleeve].compactMap(\.self) {
        expect(
          (link.security != nil) == neighbour.isSealed, number,
          "links are sealed as connections are")
        guard let security = link.security else { continue }
        expect(1...2 ~= security.openings.count, number, "one key opens, or two")
        expect(
          security.openings.allSatisfy { !$0.isSealing } && security.sealing?.isSealing != false,
          number, "keys have one direction")
        identifiers += security.openings.filter { $0.layout == .esp }.map(\.identifier)
      }
    }
    expect(Set(identifiers).count == identifiers.count, number, "no SPI is used twice")
  }
}

extension FrameKey {
  /// Whether it opens what is sealed with another key.
  fileprivate func opens(_ sealing: FrameKey) -> Bool {
    suite == sealing.suite && layout == sealing.layout && identifier == sealing.identifier
      && secret == sealing.secret && salt == sealing.salt
  }
}

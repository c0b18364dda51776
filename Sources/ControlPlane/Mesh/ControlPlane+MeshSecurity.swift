// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
package import Inet
internal import Logging
internal import Mesh
internal import Sealing

// Passwords, and what becomes of the keys that follow from them.
extension ControlPlane.MeshOptions {
  /// Our password and those that others may have; nil: nothing is encrypted.
  var passwords: PasswordRing? {
    password.flatMap { PasswordRing($0, others: acceptedPasswords) }
  }
}

extension ControlPlane {
  /// Goes on with other passwords, and another age of keys, without an end of connections.
  ///
  /// Called at each reload, also if nothing of it has changed; whether there is a password is as at
  /// the start. The age is that of connections made from now on.
  func changePasswords(_ wanted: MeshOptions) {
    let before = options.mesh?.passwords
    options.mesh?.password = wanted.password
    options.mesh?.acceptedPasswords = wanted.acceptedPasswords
    options.mesh?.rekeySeconds = wanted.rekeySeconds
    mesh?.machine.setRekeyInterval(.seconds(wanted.rekeySeconds))
    guard let ring = wanted.passwords, ring != before else { return }
    logger.info("passwords", metadata: ["accepted_besides": "\(ring.others.count)"])
    take(.passwords(ring))
  }

  /// Has keys renewed long before their numbers end; called once a second.
  func renewUsedKeys() {
    for neighbour in mesh?.machine.forwarding.neighbours ?? [] where neighbour.isSealed {
      for overlay in OverlayKind.allCases {
        guard let key = neighbour.link(by: overlay)?.security?.openings.first,
          key.suite != .secretbox, let place = mesh?.keys[key]?.place,
          engine.counts(ofKey: place).newestNumber > ControlPlane.numberLimit(of: key.layout)
        else { continue }
        take(.keyUsed(neighbour.name, overlay))
      }
    }
  }

  /// Numbers after which a key is renewed: a thousandth of those there are, or fewer.
  private static func numberLimit(of layout: FrameKey.Layout) -> UInt64 {
    switch layout {
    case .sleeve: 1 << 44
    case .esp: 1 << 48
    }
  }

  /// How frames of a peer are encrypted by the overlay that carries them.
  func securityReport(of neighbour: MeshForwarding.Neighbour) -> SecurityReport? {
    guard let chosen = carrier(of: neighbour), let security = neighbour.link(by: chosen)?.security
    else {
      return nil
    }
    let age = security.renewedAt.duration(to: meshNow).components.seconds
    return SecurityReport(
      suite: security.suite, layout: chosen == .fastdp ? .esp : .sleeve,
      keyAgeSeconds: Int(clamping: age),
      counts: keyCounts(of: MeshRun.Link(name: neighbour.name, overlay: chosen)))
  }
}

extension ControlPlane {
  /// How frames of each peer are encrypted with whom encrypted ones are exchanged.
  package func securityReports() -> [PeerName: SecurityReport] {
    let neighbours = mesh?.machine.forwarding.neighbours.filter(\.isSealed) ?? []
    let reports = neighbours.compactMap { neighbour in
      securityReport(of: neighbour).map { (neighbour.name, $0) }
    }
    return Dictionary(reports) { first, _ in first }
  }
}

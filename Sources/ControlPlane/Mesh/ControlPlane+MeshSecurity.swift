// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
package import Inet
internal import Logging
internal import Mesh
internal import Routing
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

  // MARK: When neighbours hear of keys

  /// The machine has something to tell about keys, as soon as all workers work with them.
  func awaitKeys() {
    if mesh?.keyWait == nil { mesh?.keyWait = KeyWait() }
    mesh?.keyWait?.begin()
    if isPublished { noteKeysPublished() }
  }

  /// All that was known is published, keys too.
  func noteKeysPublished() {
    guard mesh?.keyWait?.publish(model.generation, now: meshNow) == true else { return }
    lookAtKeys(after: .zero)
  }

  private func lookAtKeys(after pause: Duration) {
    guard mesh?.keyWait?.isLookDue == false else { return }
    mesh?.keyWait?.isLookDue = true
    let milliseconds = Int(pause / .milliseconds(1))
    executor.queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
      self?.assumeIsolated {
        $0.mesh?.keyWait?.isLookDue = false
        $0.releaseKeys()
      }
    }
  }

  /// Lets the machine tell of keys if all workers work with them by now; otherwise it is looked
  /// again.
  func releaseKeys() {
    guard let wait = mesh?.keyWait, wait.generation != nil else { return }
    let areTold = mesh?.areSecurityIdentifiersTold == true
    switch wait.state(oldestRead: model.oldestRead, areIdentifiersTold: areTold, now: meshNow) {
    case .waiting: return lookAtKeys(after: KeyWait.pause)
    case .late(let reason):
      logger.warning("keys are told of early", metadata: ["problem": "\(reason)"])
    case .over: break
    }
    let missing = neighboursWithoutRoom
    // Once a second their keys are tried again, and published.
    mesh?.keyWait = missing.isEmpty ? nil : KeyWait()
    take(.keysRead(except: missing))
  }

  /// Neighbours whose newest keys the data plane had no room for.
  private var neighboursWithoutRoom: Set<PeerName> {
    guard let mesh, mesh.hasKeysMissing else { return [] }
    let missing = mesh.machine.forwarding.neighbours.filter { neighbour in
      OverlayKind.allCases.contains { overlay in
        let keys = neighbour.link(by: overlay)?.security?.openings ?? []
        return keys.contains { mesh.keys[$0] == nil }
      }
    }
    return Set(missing.map(\.name))
  }

  // MARK: Reports

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

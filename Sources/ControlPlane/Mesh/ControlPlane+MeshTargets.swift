// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import HostNetwork
internal import Inet
internal import Logging
internal import Mesh

extension ControlPlane {
  /// How long to wait before a name that did not resolve is looked up again, in seconds.
  static let lookUpPauseSeconds = 5

  /// Has the mesh connect with peers; names are looked up first, beside everything else, and again
  /// until they resolve.
  func aim(at targets: [String], isReplacing: Bool) {
    wantedTargets = isReplacing ? targets : wantedTargets + targets.filter(isNew)
    // Those that are names have no address yet, but count as targets at once.
    let known = targets.map { target($0, addresses: nil) }
    take(.connect(known, isReplacing: isReplacing))
    lookUp(targets.filter { PeerTarget($0).flatMap { IPv4Address($0.host) } == nil })
  }

  /// Has the mesh dial these peers no more.
  func drop(_ targets: [String]) {
    wantedTargets.removeAll { targets.contains($0) }
    take(.forget(targets.map { target($0, addresses: nil) }))
  }

  /// Takes over the peers of a file that was read again, instead of those there are.
  func retarget(_ wanted: MeshOptions?) {
    guard let wanted, mesh != nil else { return }
    options.mesh?.targets = wanted.targets
    if wanted.targets != wantedTargets { aim(at: wanted.targets, isReplacing: true) }
  }

  private func isNew(_ target: String) -> Bool { !wantedTargets.contains(target) }

  private func lookUp(_ names: [String]) {
    guard !names.isEmpty else { return }
    DispatchQueue.global().async { [weak self] in
      let found = names.map { name in
        (name, PeerTarget(name).map { HostNames.addresses(of: $0.host) } ?? [])
      }
      guard let self else { return }
      self.executor.queue.async { self.assumeIsolated { $0.take(lookedUp: found) } }
    }
  }

  private func take(lookedUp found: [(name: String, addresses: [IPv4Address])]) {
    guard !isStopping else { return }
    // Meanwhile some may have been forgotten.
    let wanted = found.filter { wantedTargets.contains($0.name) }
    let resolved = wanted.filter { !$0.addresses.isEmpty }.map {
      target($0.name, addresses: $0.addresses)
    }
    if !resolved.isEmpty { take(.connect(resolved, isReplacing: false)) }
    let missing = wanted.filter(\.addresses.isEmpty).map(\.name)
    guard !missing.isEmpty else { return }
    logger.warning(
      "peer's name has no IPv4 address; it is looked up again",
      metadata: ["names": "\(missing.joined(separator: " "))"])
    executor.queue.asyncAfter(deadline: .now() + .seconds(ControlPlane.lookUpPauseSeconds)) {
      [weak self] in
      guard let self else { return }
      self.assumeIsolated { control in
        control.lookUp(missing.filter { control.wantedTargets.contains($0) })
      }
    }
  }

  private func target(_ text: String, addresses: [IPv4Address]?) -> MeshTarget {
    let parsed = PeerTarget(text)
    let found = addresses ?? parsed.flatMap { IPv4Address($0.host) }.map { [$0] } ?? []
    return MeshTarget(
      text: text,
      addresses: found.map { SocketAddress($0, port: parsed?.port ?? options.mesh?.port ?? 0) },
      hasPort: parsed?.port != nil)
  }
}

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

  /// Takes over the peers of a file that was read again, instead of those there are; if it names
  /// the same as before, those that were named since stay.
  func retarget(_ wanted: MeshOptions?) {
    guard let wanted, mesh != nil, wanted.targets != options.mesh?.targets else { return }
    options.mesh?.targets = wanted.targets
    aim(at: wanted.targets, isReplacing: true)
  }

  private func isNew(_ target: String) -> Bool { !wantedTargets.contains(target) }

  private func lookUp(_ names: [String]) {
    for name in names where namesInFlight.insert(name).inserted {
      DispatchQueue.global().async { [weak self] in
        let found = PeerTarget(name).map { HostNames.addresses(of: $0.host) } ?? []
        guard let self else { return }
        self.executor.queue.async {
          self.assumeIsolated { $0.take(lookedUp: name, addresses: found) }
        }
      }
    }
  }

  private func take(lookedUp name: String, addresses: [IPv4Address]) {
    // Meanwhile it may have been forgotten.
    guard !isStopping, wantedTargets.contains(name) else {
      namesInFlight.remove(name)
      return
    }
    guard addresses.isEmpty else {
      namesInFlight.remove(name)
      take(.connect([target(name, addresses: addresses)], isReplacing: false))
      return
    }
    logger.warning(
      "peer's name has no IPv4 address; it is looked up again", metadata: ["name": "\(name)"])
    executor.queue.asyncAfter(deadline: .now() + .seconds(ControlPlane.lookUpPauseSeconds)) {
      [weak self] in
      guard let self else { return }
      self.assumeIsolated { control in
        control.namesInFlight.remove(name)
        if control.wantedTargets.contains(name) { control.lookUp([name]) }
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

// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
internal import HostNetwork
internal import Logging

extension ControlPlane {
  /// Takes everything down, in the opposite order; containers as the configuration says.
  package func stop() {
    end(
      keepsAttachments: options.keepsAttachments,
      keepsHostPair: options.keepsAttachments
        && (!attachments.isEmpty || hostPair?.wasReused == true))
  }

  /// Gives a start up that cannot serve: what it made goes, what it found stays as it was.
  package func abandon() {
    end(keepsAttachments: true, keepsHostPair: hostPair?.wasReused == true)
  }

  private func end(keepsAttachments: Bool, keepsHostPair: Bool) {
    guard !isStopping else { return }
    isStopping = true
    for source in sources { source.cancel() }
    sources = []
    stopMesh()
    if !keepsAttachments { removeAttachments() }
    for failure in engine.stop(keepsPrograms: keepsAttachments) { note(failure) }
    removing("neighbours") { () throws(HostNetworkError) in
      try netlink.removeManagedNeighbours()
    }
    if hostPair != nil, !keepsHostPair {
      removing("weft0") { () throws(HostNetworkError) in try HostPair.remove() }
    }
    logger.info("stopped", metadata: ["attachments": "\(keepsAttachments ? "kept" : "removed")"])
  }

  private func removeAttachments() {
    for attachment in attachments.values.sorted(by: { $0.port.number < $1.port.number }) {
      for failure in engine.closePort(attachment.port, keepsProgram: true) { note(failure) }
      removing(attachment.interface.hostEnd) { () throws(HostNetworkError) in
        try attachment.interface.detach()
      }
    }
    attachments = [:]
  }

  /// Does one step of a stop, which goes on whatever happens.
  private func removing(_ what: String, _ body: () throws(HostNetworkError) -> Void) {
    do { try body() } catch {
      logger.error("left behind", metadata: ["what": "\(what)", "problem": "\(error)"])
    }
  }

  private func note(_ failure: EngineFailure) {
    logger.error("left behind", metadata: ["what": "a port", "problem": "\(failure)"])
  }
}

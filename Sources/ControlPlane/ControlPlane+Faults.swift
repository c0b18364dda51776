// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Logging

extension ControlPlane {
  /// Makes ports bad on purpose from now on, as these say and no others do.
  ///
  /// Holds for ports that are open and for those that will be. Each port whose faults change is
  /// logged as a warning while they are on, because nobody should forget that they are.
  package func setFaults(_ faults: [PortFault]) {
    self.faults = faults
    for port in ControlPlane.ownPorts + attachments.keys {
      applyFaults(to: port)
    }
  }

  /// Gives an open port the faults that are configured for it, if it has others.
  ///
  /// A port that is not attached yet is logged as `interface`.
  func applyFaults(to port: PortIndex, interface: String = "") {
    guard let status = engine.status(of: port) else { return }
    let wanted = faults(of: port)
    guard wanted != status.faults else { return }
    let name = interfaceName(of: port)
    let interface: Logger.Metadata = ["interface": "\(name.isEmpty ? interface : name)"]
    do {
      try engine.setFaults(wanted, port: port)
    } catch {
      logger.error("faults", metadata: interface.merging(["problem": "\(error)"]) { $1 })
      return
    }
    guard let wanted else { return logger.notice("faults off", metadata: interface) }
    let rates: Logger.Metadata = ["faults": "\(FaultReport(wanted))"]
    logger.warning("faults on purpose", metadata: interface.merging(rates) { $1 })
  }

  /// What the configuration does to a port; nil if nothing.
  private func faults(of port: PortIndex) -> FaultSettings? {
    let name: String? =
      switch port {
      case ControlPlane.hostPort: PortFault.host
      case ControlPlane.underlayPort, ControlPlane.socketPort: options.underlay
      default: PortFault.containers
      }
    let settings = faults.first { $0.interface == name }?.settings
    return settings.flatMap { $0.isNone ? nil : $0 }
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Synchronization
public import XDP

extension Engine {
  /// Replaces the associations whose ESP packets the underlay's program hands to us.
  ///
  /// Those that stay are in force all the time, and new ones are before others go: packets of a new
  /// key arrive when this returns. Fails if the port is not an open underlay with a program; a port
  /// of UDP sockets never sees ESP.
  public func setSecurityAssociations(
    _ associations: Set<SecurityAssociation>, port: PortIndex
  ) throws(DataplaneError) {
    guard let open = ports.withLock({ $0[port] }), open.specification.kind == .underlay,
      let held = open.program
    else { throw .noProgramForESP(port) }
    do { try held.program.setSecurityAssociations(associations) } catch { throw .program(error) }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Which way frames go through the host under test.
enum Way: String, Sendable {
  /// From a container into VXLAN on the wire.
  case encap
  /// From the wire out of VXLAN to a container.
  case decap
  /// From a container to another one of the same host.
  case bridge
}

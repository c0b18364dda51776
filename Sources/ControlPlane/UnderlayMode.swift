// SPDX-License-Identifier: Apache-2.0

/// How the interface to the other hosts may be used.
package enum UnderlayMode: String, CaseIterable, Sendable {
  /// Through AF_XDP where the interface can carry that, else through the kernel's sockets.
  case automatic
  /// Through AF_XDP, or weftd does not start.
  case xdp
  /// Through the kernel's sockets; the interface gets no program.
  case socket
}

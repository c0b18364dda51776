// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
package import Inet
internal import Sealing

/// What a host is called in the mesh when its configuration does not say.
///
/// It is the name that Weave Net gives the same host, so that a host keeps its place in a cluster
/// when it changes from one to the other: drawn from the machine's own identity, and so the same
/// after every restart.
package enum MachineName {
  /// The name of the host whose files are below `root`, drawn at random if none can be read.
  ///
  /// `bridge` is the address of an interface `weave`, if there is one, which was a name before.
  package static func derive(
    root: String = "/", bridge: MACAddress?, random: inout some RandomNumberGenerator
  ) -> PeerName {
    if let bridge { return PeerName(bits: bridge.bits) }
    let machine = first(of: ["etc/machine-id", "var/lib/dbus/machine-id"], below: root)
    let board = first(
      of: ["sys/class/dmi/id/product_uuid", "sys/hypervisor/uuid"], below: root)
    guard machine != nil || board != nil else {
      return local(UInt64.random(in: .min ... .max, using: &random))
    }
    let message = Array("9oBJ0Jmip-".utf8) + (machine ?? []) + (board ?? [])
    return local(SHA256.digest(of: message).prefix(6).reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// The number as a unicast, locally administered address, which also is never unknown.
  private static func local(_ bits: UInt64) -> PeerName {
    PeerName(bits: bits & ~(1 << 40) | 1 << 41)
  }

  private static func first(of paths: [String], below root: String) -> [UInt8]? {
    paths.lazy.compactMap { path in
      (try? Data(contentsOf: URL(filePath: root).appending(path: path))).map { [UInt8]($0) }
    }.first { !$0.isEmpty }
  }
}

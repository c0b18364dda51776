// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Says that one weftd serves this network namespace; a second one cannot have it.
///
/// The claim goes with the process, however it ends, and leaves no file.
///
/// Proof of safety: the name is a constant that the call copies.
@safe
package struct HostClaim: ~Copyable {
  private let descriptor: FileDescriptor

  /// Claims the namespace of the calling thread; nil if another process has it.
  package init?() throws(HostNetworkError) {
    let result = unsafe clinux_claim_name("weft.host")
    if result == -EADDRINUSE { return nil }
    guard result >= 0 else {
      throw .system(SystemError(call: "bind", errno: -result, subject: "the host's claim"))
    }
    descriptor = FileDescriptor(owning: result)
  }
}

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

  /// Whether a process has the claim of the calling thread's namespace.
  package static var isTaken: Bool {
    var text = ""
    do throws(HostNetworkError) {
      let file = "/proc/thread-self/net/unix"
      let listing = try FileDescriptor.open(file, flags: O_RDONLY)
      while text.utf8.count < listingMax {
        let piece = try listing.read(limit: 1 << 16, subject: file)
        if piece.isEmpty { break }
        text += piece
      }
    } catch { return false }
    return text.split(separator: "\n").contains { $0.hasSuffix(" @\(name)") }
  }

  private static let name = "weft.host"
  /// A longer listing is not read to its end: some hundred thousand sockets.
  private static let listingMax = 1 << 24

  /// Claims the namespace of the calling thread; nil if another process has it.
  package init?() throws(HostNetworkError) {
    let result = unsafe clinux_claim_name(HostClaim.name)
    if result == -EADDRINUSE { return nil }
    guard result >= 0 else {
      throw .system(SystemError(call: "bind", errno: -result, subject: "the host's claim"))
    }
    descriptor = FileDescriptor(owning: result)
  }
}

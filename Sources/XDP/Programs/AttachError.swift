// SPDX-License-Identifier: Apache-2.0

/// Why a program could not be attached to an interface, or not be detached from it.
///
/// `interface` is the interface's name, or `#` and its index where it has none.
public enum AttachError: Error, Equatable, Sendable {
  /// The process may not do this; `call` says what was tried.
  case permission(call: String, interface: String)

  /// No interface has this index in the network namespace of the calling thread.
  case noInterface(index: UInt32)

  /// Another program is there, and was left alone; `name` is empty if it cannot be read.
  ///
  /// A program of ours that another living process holds by a link counts as another program.
  case foreignProgram(interface: String, id: UInt32, name: String)

  /// The kernel or the driver refused; `detail` is what they said, and may be empty.
  case refused(call: String, interface: String, mode: AttachMode, errno: CInt, detail: String)
}

extension AttachError {
  /// What a refusal says, for a sentence about it.
  public static func reason(_ errno: CInt, _ detail: String) -> String {
    ErrorText(errno, detail).description
  }
}

extension AttachError: CustomStringConvertible {
  /// A sentence that says what failed and what to do.
  public var description: String {
    switch self {
    case .permission(let call, let interface):
      "\(call) on \(interface) was not permitted: "
        + "needs CAP_BPF and CAP_NET_ADMIN: run as root"
    case .noInterface(let index):
      "no interface has the index \(index): see ip link"
    case .foreignProgram(let interface, let id, let name):
      "\(interface) already has the XDP program \(id)\(name.isEmpty ? "" : " '\(name)'"), "
        + "which is not Weft's and is not replaced: take it off (ip link set dev \(interface) xdp "
        + "off, or xdpgeneric off), or give Weft another interface"
    case .refused(let call, let interface, let mode, let errno, let detail):
      "\(call) on \(interface) in \(mode) mode was refused: \(ErrorText(errno, detail))"
    }
  }
}

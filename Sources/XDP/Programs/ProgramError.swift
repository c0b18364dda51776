// SPDX-License-Identifier: Apache-2.0

/// Why a program could not be loaded or one of its maps not be changed.
public enum ProgramError: Error, Equatable, Sendable {
  /// The process may not do this; `call` says what was tried.
  case permission(call: String)

  /// The kernel did not take the program; `detail` is what it or libbpf said, and may be empty.
  case loading(ProgramKind, errno: CInt, detail: String)

  /// A call on the map named `map` failed.
  case map(call: String, map: String, errno: CInt)

  /// A program has entries for the queues below `count` only.
  case queueOutOfRange(queue: UInt32, count: UInt32)

  /// More overlay addresses than the program has room for; none was changed.
  case tooManyOverlayAddresses(count: Int, capacity: Int)

  /// More security associations than the program has room for; none was changed.
  case tooManySecurityAssociations(count: Int, capacity: Int)
}

extension ProgramError: CustomStringConvertible {
  /// A sentence that says what failed and what to do.
  public var description: String {
    switch self {
    case .permission(let call):
      "\(call) was not permitted: needs CAP_BPF and CAP_NET_ADMIN: run as root"
    case .loading(let kind, let errno, let detail):
      "loading the XDP program '\(kind)' failed: \(ErrorText(errno, detail)); "
        + "needs Linux 6.1 or newer with CONFIG_XDP_SOCKETS"
    case .map(let call, let map, let errno):
      "\(call) on the BPF map '\(map)' failed: \(ErrorText(errno))"
    case .queueOutOfRange(let queue, let count):
      "queue \(queue) is out of range: queues 0 to \(count - 1) can have a socket; "
        + "give the interface fewer queues (ethtool -L)"
    case .tooManyOverlayAddresses(let count, let capacity):
      "\(count) overlay addresses are too many: at most \(capacity) are accepted"
    case .tooManySecurityAssociations(let count, let capacity):
      "\(count) security associations are too many: at most \(capacity) are accepted; connect to "
        + "fewer peers that encrypt"
    }
  }
}

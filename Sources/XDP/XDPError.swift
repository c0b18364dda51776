// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The kernel refused something about an AF_XDP socket or its memory.
public struct XDPError: Error, Equatable, CustomStringConvertible {
  /// What was tried.
  public let call: String
  /// Its `errno`.
  public let number: CInt
  /// What it was about, such as `queue 0 of eth0`.
  public let subject: String

  /// Records a refusal.
  public init(call: String, number: CInt, subject: String) {
    self.call = call
    self.number = number
    self.subject = subject
  }

  /// What failed, why, and what to do where that is known.
  public var description: String {
    let reason = "\(call) for \(subject) failed: \(errorText(number))"
    switch number {
    case EPERM, EACCES: return reason + "; it needs CAP_NET_RAW and CAP_BPF: run as root"
    case EBUSY:
      return reason + "; this queue is bound already, by another program or by a socket whose "
        + "memory is still in use"
    case ENODEV: return reason + "; there is no such interface in this network namespace"
    case EINVAL: return reason + "; there is no such queue, or a ring's size is no power of two"
    case EOPNOTSUPP: return reason + "; the driver has no zero-copy: bind without it"
    case ENOBUFS: return reason + "; locked memory is limited: raise the memlock limit"
    default: return reason
    }
  }
}

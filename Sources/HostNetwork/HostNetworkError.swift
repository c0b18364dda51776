// SPDX-License-Identifier: Apache-2.0

package import Inet

/// A system call or a request to the kernel that failed.
package struct SystemError: Error, Equatable, Sendable {
  /// The call or the netlink request, such as `setns` or `RTM_NEWLINK`.
  package let call: String
  /// The number the kernel gave, positive.
  package let errno: Int32
  /// What the call was about: an interface, a path, an address.
  package let subject: String
  /// The kernel's own sentence (netlink extended acknowledgement), when it gave one.
  package let detail: String?

  /// Describes a failed call.
  package init(call: String, errno: Int32, subject: String, detail: String? = nil) {
    self.call = call
    self.errno = errno
    self.subject = subject
    self.detail = detail
  }
}

extension SystemError: CustomStringConvertible {
  /// The call, its subject, the kernel's text, and advice where there is some.
  package var description: String {
    let explanation = detail.map { " (\($0))" } ?? ""
    return "\(call) failed for \(subject): \(errorText(errno))\(explanation)\(advice)"
  }

  private var advice: String {
    switch errno {
    case 1, 13:
      // Another process's namespace can only be opened by who may trace that process.
      "; run as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_SYS_PTRACE"
    case 24: "; raise the limit of open files (ulimit -n)"
    case 12, 105: "; the kernel is short of memory for this, try again"
    default: ""
    }
  }
}

/// What can go wrong on the host's side of the network.
package enum HostNetworkError: Error, Equatable, Sendable {
  /// The kernel refused a call.
  case system(SystemError)
  /// A request does not fit into one netlink message.
  case messageTooLong(call: String)
  /// The kernel's answer to a request is not what the protocol promises.
  case malformedReply(call: String, reason: String)
  /// The kernel did not answer in time.
  case noReply(call: String)
  /// Answers were lost since the socket's buffer ran over; the outcome is unknown.
  case repliesLost(call: String)
  /// A table kept changing while it was read.
  case tableKeepsChanging(call: String)
  /// There is no file at the path of a namespace.
  case namespaceMissing(path: String)
  /// The file is not a network namespace.
  case notANetworkNamespace(path: String, reason: String)
  /// The namespace is the host's own: the container has no network of its own to attach to.
  case hostNamespace(path: String)
  /// Another namespace is now at the path of a recorded attachment.
  case namespaceReplaced(path: String, recorded: UInt64, found: UInt64)
  /// No interface has the name.
  case interfaceMissing(name: String)
  /// An interface of the name is there already, and is not ours to replace.
  case interfaceExists(name: String, place: String)
  /// The kernel does not accept the name of an interface.
  case invalidInterfaceName(name: String)
  /// The address cannot be an interface's address.
  case invalidAddress(IPv4Prefix)
  /// The MAC address cannot be an interface's address.
  case invalidMAC(MACAddress)
  /// A number is outside of what is accepted.
  case outOfRange(what: String, value: Int, accepted: ClosedRange<Int>)
  /// The attachment does not fit into the alias of an interface.
  case aliasTooLong(length: Int, limit: Int)
  /// An offload is still on after it was switched off.
  case offloadStays(interface: String, offload: String)
}

extension HostNetworkError: CustomStringConvertible {
  /// What failed, where, and what would be accepted.
  package var description: String {
    switch self {
    case .system(let error): error.description
    case .messageTooLong(let call):
      "\(call): the request does not fit into one message; give fewer or shorter values"
    case .malformedReply(let call, let reason):
      "\(call): the kernel's answer is malformed (\(reason)); please report this with `uname -r`"
    case .noReply(let call): "\(call): the kernel did not answer in time; try again"
    case .repliesLost(let call):
      "\(call): answers of the kernel were lost, the outcome is unknown; read the state again"
    case .tableKeepsChanging(let call):
      "\(call): the table kept changing while it was read; try again"
    case .outOfRange(let what, let value, let accepted):
      "\(what) \(value) is not accepted: give \(accepted.lowerBound) to \(accepted.upperBound)"
    case .aliasTooLong(let length, let limit):
      "the attachment needs \(length) bytes in the interface's alias, which holds \(limit): "
        + "use fewer addresses or a shorter namespace path"
    case .offloadStays(let interface, let offload):
      "\(offload) of \(interface) cannot be switched off; frames would leave it incomplete"
    default: descriptionOfNames
    }
  }

  private var descriptionOfNames: String {
    switch self {
    case .namespaceMissing(let path):
      "there is no network namespace at \(path): is the container running?"
    case .notANetworkNamespace(let path, let reason):
      "\(path) is not a network namespace (\(reason)); "
        + "give a path like /run/netns/NAME or /proc/PID/ns/net"
    case .hostNamespace(let path):
      "\(path) is the host's own network namespace: "
        + "a container started with host networking cannot be attached"
    case .namespaceReplaced(let path, let recorded, let found):
      "\(path) is now namespace \(found), the attachment was made in \(recorded): "
        + "the container was replaced; detach and attach it again"
    case .interfaceMissing(let name): "there is no interface \(name)"
    case .interfaceExists(let name, let place):
      "an interface \(name) exists already in \(place); remove it or choose another name"
    case .invalidInterfaceName(let name):
      "'\(name)' cannot name an interface: give 1 to 15 bytes without spaces, '/' and ':'"
    case .invalidAddress(let prefix):
      "\(prefix) cannot be an interface's address: "
        + "give a unicast address with its prefix length, like 10.32.0.1/12"
    case .invalidMAC(let address):
      "\(address) cannot be an interface's address: give a unicast MAC like 02:00:00:00:00:0a"
    default: ""
    }
  }
}

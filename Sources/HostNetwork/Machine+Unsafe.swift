// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import Inet

/// What this process finds on its machine.
///
/// Proof of safety: buffers are local and their lengths are handed along.
@safe
package struct Machine: Sendable {
  /// Cores this process may run on, ascending.
  package let cores: [Int]
  /// Names of the interfaces in this network namespace.
  package let interfaces: [String]
  /// The IPv4 addresses of each interface that has some.
  package let addresses: [String: [IPv4Address]]
  /// Where this host takes UDP; empty if the kernel does not say.
  package let udpReceivers: [UDPReceiver]
  private let queueCounts: [String: Int]

  /// Looks around.
  package init() throws(HostNetworkError) {
    var numbers = [UInt32](repeating: 0, count: 1024)
    let count = unsafe clinux_allowed_cores(&numbers, numbers.count)
    guard count > 0 else {
      throw .system(SystemError(call: "sched_getaffinity", errno: -count, subject: "weftd"))
    }
    cores = numbers.prefix(Int(count)).map { Int($0) }
    var netlink = try NetlinkSocket()
    let links = try netlink.links()
    interfaces = links.map(\.name)
    var counts: [String: Int] = [:]
    for link in links { counts[link.name] = try? netlink.receiveQueueCount(of: link) }
    queueCounts = counts
    let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
    addresses = Dictionary(grouping: try netlink.addresses()) { names[$0.interface] ?? "" }
      .mapValues { $0.map(\.prefix.address) }
    udpReceivers = (try? UDPReceiver.all()) ?? []
  }

  /// Receive queues of an interface; 0 if it is not there.
  package func queueCount(of interface: String) -> Int { queueCounts[interface] ?? 0 }

  /// Lets the calling thread, and those it starts from now on, run on `cores` only.
  package func restrict(to cores: [Int]) {
    let numbers = cores.map { UInt32($0) }
    _ = unsafe clinux_restrict_thread(numbers, numbers.count)
  }

  /// Has SIGHUP wait until somebody asks for it, in this thread and those it starts from now on,
  /// so that one that comes early neither ends the process nor gets lost.
  package static func holdHangups() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGHUP)
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Lets this process have as many files open as it may ask for, since each port takes four and
  /// more; gives how many those are.
  @discardableResult
  package static func raiseOpenFileLimit() -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return 0
    }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
  }

  /// Keeps what this process knows out of core dumps, and from whoever may not trace all processes;
  /// gives whether the kernel did so.
  ///
  /// The files of this process in `/proc` belong to root from then on.
  @discardableResult
  package static func forbidDumps() -> Bool { clinux_forbid_dumps() == 0 }

  /// Whether this process may do as it likes.
  package static var isRoot: Bool { geteuid() == 0 }

  /// The machine's name.
  package static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

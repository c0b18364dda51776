// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A netlink socket to the routing family of the namespace it was opened in.
///
/// Requests are answered at once, since the kernel does the work inside of the send; the receive
/// timeout only guards against an answer that got lost. What does not carry the number of the
/// running request, or comes from another process, is skipped.
///
/// The socket is libmnl's: this value alone owns it, closes it, and never hands the pointer out, so
/// it may move between threads.
@safe
package struct NetlinkSocket: ~Copyable, @unchecked Sendable {
  /// A dump's messages are at most 32 KiB; a single answer can hold one interface's everything.
  private static let bufferLength = 64 * 1024
  private static let timeoutMilliseconds: UInt32 = 5000
  /// How often a dump is repeated when the table changed under it.
  private static let attemptCount = 16

  private let socket: OpaquePointer
  private var buffer: [UInt8]
  private var sequence: UInt32

  /// Opens a socket in the calling thread's network namespace.
  package init() throws(HostNetworkError) {
    try self.init(groups: [], flags: 0, receiveBufferLength: 0)
  }

  /// Opens a non-blocking socket that listens to multicast groups.
  init(listeningTo groups: [UInt32], receiveBufferLength: Int) throws(HostNetworkError) {
    try self.init(
      groups: groups, flags: Int32(SOCK_NONBLOCK.rawValue), receiveBufferLength: receiveBufferLength
    )
  }

  private init(
    groups: [UInt32], flags: Int32, receiveBufferLength: Int
  ) throws(HostNetworkError) {
    // All that can throw comes first, so that nothing is ever half made.
    let socket = try unsafe Self.open(flags: flags)
    do {
      try unsafe Self.configure(socket, groups: groups, receiveBufferLength: receiveBufferLength)
    } catch {
      _ = unsafe mnl_socket_close(socket)
      throw error
    }
    unsafe self.socket = unsafe socket
    buffer = [UInt8](repeating: 0, count: Self.bufferLength)
    sequence = 0
  }

  private static func open(flags: Int32) throws(HostNetworkError) -> OpaquePointer {
    let flags = Int32(SOCK_CLOEXEC.rawValue) | flags
    guard let socket = unsafe mnl_socket_open2(NETLINK_ROUTE, flags) else {
      throw .system(SystemError(call: "socket", errno: errno, subject: "netlink"))
    }
    return unsafe socket
  }

  private static func configure(
    _ socket: OpaquePointer, groups: [UInt32], receiveBufferLength: Int
  ) throws(HostNetworkError) {
    let number = unsafe mnl_socket_get_fd(socket)
    try shimCall("setsockopt", subject: "netlink") {
      clinux_netlink_prepare(number, timeoutMilliseconds, UInt32(receiveBufferLength))
    }
    // Groups above 32 have no bit in the bind address; those used here are all below.
    let mask = groups.reduce(UInt32(0)) { $0 | 1 << ($1 - 1) }
    _ = try systemCall("bind", subject: "netlink") {
      unsafe mnl_socket_bind(socket, mask, MNL_SOCKET_AUTOPID)
    }
  }

  deinit {
    _ = unsafe mnl_socket_close(socket)
  }

  /// The descriptor, for polling; valid while the socket lives.
  package var descriptor: Int32 { unsafe mnl_socket_get_fd(socket) }

  /// Sends a request and waits for the kernel's consent; answers before it go to `each`.
  ///
  /// `call` and `subject` name the request in errors.
  package mutating func request(
    _ message: consuming NetlinkMessage, call: String, subject: String,
    each: (NetlinkReply) throws(HostNetworkError) -> Void = { _ in }
  ) throws(HostNetworkError) {
    _ = try exchange(message, flags: NLM_F_ACK, call: call, subject: subject, each: each)
  }

  /// Reads a table, once more from the start whenever it changed meanwhile.
  ///
  /// Entries for which `parse` gives nil are left out.
  package mutating func dump<Value>(
    _ message: NetlinkMessage, call: String,
    parse: (NetlinkReply) throws(HostNetworkError) -> Value?
  ) throws(HostNetworkError) -> [Value] {
    for _ in 0..<Self.attemptCount {
      var values: [Value] = []
      let isConsistent = try exchange(
        message, flags: NLM_F_ROOT | NLM_F_MATCH, call: call, subject: "the whole table"
      ) { (reply) throws(HostNetworkError) in
        if let value = try parse(reply) { values.append(value) }
      }
      if isConsistent { return values }
    }
    throw .tableKeepsChanging(call: call)
  }

  /// Has a listening socket hear of every namespace that has a number in this one.
  borrowing func listenEverywhere() throws(HostNetworkError) {
    let number = descriptor
    try shimCall("setsockopt", subject: "netlink") { clinux_netlink_listen_everywhere(number) }
  }

  /// What the kernel sent at once.
  struct Datagram {
    let bytes: [UInt8]
    /// This namespace's number for the one it is about; nil if it is this one.
    let namespace: Int32?
  }

  /// Receives one datagram, or nil if there is none on a non-blocking socket.
  mutating func receive(call: String) throws(HostNetworkError) -> Datagram? {
    var datagram = clinux_netlink_datagram()
    let number = descriptor
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { target in
        unsafe clinux_netlink_receive(number, target.baseAddress, target.count, &datagram)
      }
      switch Int32(truncatingIfNeeded: count) {
      case -EINTR: continue
      case -EAGAIN: return nil
      case -ENOBUFS: throw .repliesLost(call: call)
      case ..<0:
        throw .system(
          SystemError(call: "recvmsg", errno: Int32(-count), subject: call))
      default: break
      }
      // Port 0 is the kernel; a message of another process is not an answer.
      guard datagram.sender == 0 else { continue }
      guard !datagram.truncated else {
        throw .malformedReply(call: call, reason: "longer than \(Self.bufferLength) bytes")
      }
      return Datagram(
        bytes: Array(buffer.prefix(count)),
        namespace: datagram.name_space >= 0 ? datagram.name_space : nil)
    }
  }

  /// Returns false if the kernel says that the table changed while it was dumped.
  private mutating func exchange(
    _ message: consuming NetlinkMessage, flags: Int32, call: String, subject: String,
    each: (NetlinkReply) throws(HostNetworkError) -> Void
  ) throws(HostNetworkError) -> Bool {
    guard !message.isOverflowing else { throw .messageTooLong(call: call) }
    sequence &+= 1
    message.prepare(flags: NLM_F_REQUEST | flags, sequence: sequence)
    try send(message.bytes, call: call)
    var isConsistent = true
    while true {
      guard let datagram = try receive(call: call) else { throw .noReply(call: call) }
      for reply in try NetlinkReply.parse(datagram.bytes, call: call)
      where reply.sequence == sequence {
        if reply.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isConsistent = false }
        switch try NetlinkAnswer(reply, call: call, subject: subject) {
        case .end: return isConsistent
        case .nothing: continue
        case .value: try each(reply)
        }
      }
    }
  }

  private borrowing func send(_ bytes: ArraySlice<UInt8>, call: String) throws(HostNetworkError) {
    let pointer = unsafe socket
    _ = try systemCall("sendto", subject: call) {
      unsafe bytes.withUnsafeBytes { source in
        unsafe Int32(
          truncatingIfNeeded: mnl_socket_sendto(pointer, source.baseAddress, source.count))
      }
    }
  }
}

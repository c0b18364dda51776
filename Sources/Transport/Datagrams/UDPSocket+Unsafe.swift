// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Inet
internal import Synchronization

/// The mesh's UDP socket, for IPv4; never waits but in `wait(until:)`.
///
/// One thread receives, any may send. A datagram that may not be fragmented needs another setting
/// of the socket than one that may, so that sending takes turns.
///
/// Proof of safety: the descriptor is closed with the last reference, and a call of the kernel is
/// made by somebody who holds one. Pointers to bytes and addresses are handed over for the length
/// of a call, with the true length; the kernel writes at most that many bytes. Fields of control
/// messages are read from a buffer of ours at offsets that were checked against its length.
@safe
final class UDPSocket: Sendable {
  /// What became of a datagram to be sent.
  enum Outcome: Equatable {
    case sent
    /// Longer than the path carries without fragments, or than any datagram can be.
    case tooLong
    /// The kernel has no room now.
    case full
    case failed(errno: Int32)
  }

  /// A datagram that the path did not carry, as a router reported it.
  struct Complaint: Equatable {
    let destination: SocketAddress
    let pathMTU: Int
  }

  /// What a socket sends with: path MTU discovery on, or off.
  private struct Setting {
    var isFragmentable: Bool?
  }

  private let descriptor: Int32
  private let setting = Mutex(Setting())

  /// Binds a socket to `address`.
  init(address: SocketAddress, bufferLength: Int) throws(TransportError) {
    let flags = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    descriptor = socket(AF_INET, flags, 0)
    guard descriptor >= 0 else {
      throw TransportError("socket", errno, address, kind: "UDP")
    }
    // As much as was asked for needs a privilege; without, the host's limit stands.
    let length = Int32(clamping: bufferLength)
    if set(SOL_SOCKET, SO_RCVBUFFORCE, length) < 0 { _ = set(SOL_SOCKET, SO_RCVBUF, length) }
    // Without this the kernel keeps routers' complaints about too long datagrams to itself.
    guard set(Int32(IPPROTO_IP), IP_RECVERR, 1) >= 0 else {
      throw TransportError("setsockopt", errno, address, kind: "UDP")
    }
    let result = unsafe Self.with(address) { pointer, length in
      unsafe bind(descriptor, pointer, length)
    }
    guard result >= 0 else { throw TransportError("bind", errno, address, kind: "UDP") }
  }

  deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

  // MARK: Sending

  /// Sends a datagram, with or without the kernel's leave to fragment it.
  func send(_ bytes: [UInt8], to remote: SocketAddress, isFragmentable: Bool) -> Outcome {
    setting.withLock { setting in
      if setting.isFragmentable != isFragmentable {
        let mode = isFragmentable ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO
        guard set(Int32(IPPROTO_IP), IP_MTU_DISCOVER, mode) >= 0 else {
          return .failed(errno: errno)
        }
        setting.isFragmentable = isFragmentable
      }
      var number = give(bytes, to: remote)
      // These may be the answer to an earlier datagram, and are told only once.
      for _ in 0..<3 where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EINTR].contains(number) {
        number = give(bytes, to: remote)
      }
      return Self.outcome(number)
    }
  }

  /// Hands a datagram to the kernel; gives 0 or why not.
  private func give(_ bytes: [UInt8], to remote: SocketAddress) -> Int32 {
    let result = unsafe bytes.withUnsafeBytes { buffer in
      unsafe Self.with(remote) { pointer, length in
        unsafe sendto(
          descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL), pointer,
          length)
      }
    }
    return result < 0 ? errno : 0
  }

  private static func outcome(_ number: Int32) -> Outcome {
    switch number {
    case 0: .sent
    case EMSGSIZE: .tooLong
    case EAGAIN, ENOBUFS, ENOMEM: .full
    default: .failed(errno: number)
    }
  }

  /// The longest packet, with all headers, that the kernel thinks the path to `remote` carries.
  static func pathMTU(to remote: SocketAddress) -> Int? {
    let flags = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let probe = socket(AF_INET, flags, 0)
    guard probe >= 0 else { return nil }
    defer { _ = Glibc.close(probe) }
    let result = unsafe with(remote) { pointer, length in unsafe connect(probe, pointer, length) }
    var mtu: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard result >= 0, unsafe getsockopt(probe, Int32(IPPROTO_IP), IP_MTU, &mtu, &length) >= 0
    else { return nil }
    return Int(mtu)
  }

  // MARK: Receiving

  /// What `wait` waits for.
  enum Readiness {
    case datagrams
    case complaints
    case end
  }

  /// Waits until there is something to receive or a complaint, or until `event` is signalled.
  func wait(until event: Int32) -> Readiness {
    var descriptors = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: event, events: Int16(POLLIN), revents: 0),
    ]
    _ = unsafe poll(&descriptors, nfds_t(descriptors.count), -1)
    if descriptors[1].revents != 0 { return .end }
    return Int32(descriptors[0].revents) & Int32(POLLERR) != 0 ? .complaints : .datagrams
  }

  /// Receives a datagram into `buffer`; nil if there is none now.
  func receive(into buffer: inout [UInt8]) -> (length: Int, source: SocketAddress)? {
    var source = sockaddr_in()
    // A complaint that waits is told once instead of a datagram.
    for _ in 0..<8 {
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let length = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe withUnsafeMutablePointer(to: &source) { pointer in
          unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            unsafe recvfrom(descriptor, bytes.baseAddress, bytes.count, 0, pointer, &size)
          }
        }
      }
      if length >= 0 { return (length, Self.inet(source)) }
      if errno == EAGAIN { return nil }
    }
    return nil
  }

  /// Takes what routers said of datagrams of ours; what is not about their length is left out.
  func complaints() -> [Complaint] {
    var found: [Complaint] = []
    for _ in 0..<64 {
      guard let complaint = nextError() else { break }
      if let complaint { found.append(complaint) }
    }
    return found
  }

  /// The next entry of the error queue: nil if there is none, a nil inside if it is another error.
  private func nextError() -> Complaint?? {
    var destination = sockaddr_in()
    var control = [UInt8](repeating: 0, count: 512)
    let length = unsafe control.withUnsafeMutableBytes { control in
      unsafe withUnsafeMutablePointer(to: &destination) { pointer in
        var message = unsafe msghdr()
        unsafe message.msg_name = UnsafeMutableRawPointer(pointer)
        unsafe message.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe message.msg_control = control.baseAddress
        unsafe message.msg_controllen = control.count
        let result = unsafe recvmsg(descriptor, &message, Int32(MSG_ERRQUEUE))
        return unsafe result < 0 ? nil : Int(message.msg_controllen)
      }
    }
    guard let length else { return .none }
    guard let pathMTU = Self.pathMTU(inControl: control.prefix(length)) else { return .some(nil) }
    return Complaint(destination: Self.inet(destination), pathMTU: pathMTU)
  }

  /// The path MTU that a router reported, from control messages of the error queue.
  ///
  /// Each has a length of eight bytes, a level and a type; this one goes on with an errno, an
  /// origin (2 is ICMP), three bytes more, and the MTU.
  static func pathMTU(inControl control: ArraySlice<UInt8>) -> Int? {
    func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
      // Little-endian, as all processors are that Weft is built for.
      bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var rest = control
    while rest.count >= 16 {
      let length = number(rest.prefix(8))
      guard length >= 16, length <= rest.count else { return nil }
      let body = rest.prefix(Int(length)).dropFirst(16)
      let isError =
        number(rest.dropFirst(8).prefix(4)) == UInt64(IPPROTO_IP)
        && number(rest.dropFirst(12).prefix(4)) == UInt64(IP_RECVERR)
      if isError, body.count >= 16, number(body.prefix(4)) == UInt64(EMSGSIZE),
        body[body.startIndex + 4] == 2
      {
        return Int(number(body.dropFirst(8).prefix(4)))
      }
      rest = rest.dropFirst((Int(length) + 7) & ~7)
    }
    return nil
  }

  /// How many datagrams the kernel had no room for.
  var lostCount: Int {
    // The ninth number of the socket's memory information.
    var numbers = [UInt32](repeating: 0, count: 9)
    var length = socklen_t(numbers.count * 4)
    let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, &numbers, &length)
    return result < 0 ? 0 : Int(numbers[8])
  }

  // MARK: The kernel's terms

  private func set(_ level: Int32, _ name: Int32, _ value: Int32) -> Int32 {
    var value = value
    return unsafe setsockopt(
      descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func with<Value>(
    _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = address.port.bigEndian
    name.sin_addr.s_addr = address.address.bits.bigEndian
    return unsafe withUnsafePointer(to: name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  private static func inet(_ name: sockaddr_in) -> SocketAddress {
    SocketAddress(
      IPv4Address(bits: UInt32(bigEndian: name.sin_addr.s_addr)),
      port: UInt16(bigEndian: name.sin_port))
  }
}

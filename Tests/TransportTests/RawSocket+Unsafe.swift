// SPDX-License-Identifier: Apache-2.0

import Glibc
import Inet

/// A TCP socket of the kernel's, with nothing of the transport in between.
///
/// Safe to use: the descriptor belongs to this value alone and pointers do not leave a call.
final class RawSocket {
  struct Refusal: Error { let errno: Int32 }

  let descriptor: Int32

  /// Makes a socket that is not connected.
  init(isBlocking: Bool = true) throws {
    let flags = isBlocking ? 0 : Int32(SOCK_NONBLOCK.rawValue)
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | flags, 0)
    guard descriptor >= 0 else { throw Refusal(errno: errno) }
    // A read that nothing answers fails in the end, so that no test waits for ever.
    var time = timeval(tv_sec: 60, tv_usec: 0)
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { Glibc.close(descriptor) }

  private func with(
    _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
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

  /// Connects; gives whether the kernel did, or began to.
  @discardableResult
  func connect(to address: SocketAddress) -> Bool {
    let result = unsafe with(address) { unsafe Glibc.connect(descriptor, $0, $1) }
    return result == 0 || errno == EINPROGRESS
  }

  /// Listens at a free port of the loopback interface; gives the port.
  func listen(backlog: Int32) -> UInt16 {
    let loopback = SocketAddress(IPv4Address(bits: 0x7F00_0001), port: 0)
    guard unsafe with(loopback, { unsafe bind(descriptor, $0, $1) }) == 0,
      Glibc.listen(descriptor, backlog) == 0
    else { return 0 }
    var name = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = unsafe withUnsafeMutablePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe getsockname(descriptor, pointer, &length)
      }
    }
    return UInt16(bigEndian: name.sin_port)
  }

  /// Writes bytes; gives how many, or −1.
  @discardableResult
  func write(_ bytes: [UInt8]) -> Int {
    unsafe bytes.withUnsafeBytes {
      unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// Reads at most `limit` bytes: nil if the kernel tells an error, which `errno` has.
  func read(limit: Int = 65_536) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    let length = unsafe bytes.withUnsafeMutableBytes {
      unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
    }
    return length < 0 ? nil : Array(bytes.prefix(length))
  }

  /// Reads to the end; gives the errno it ended with, 0 for an orderly end.
  func errorAtEnd() -> Int32 {
    while true {
      guard let bytes = read() else { return errno }
      if bytes.isEmpty { return 0 }
    }
  }

  /// Has the kernel reset the connection when it is closed.
  func discardAtClose() {
    var setting = linger(l_onoff: 1, l_linger: 0)
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
  }
}

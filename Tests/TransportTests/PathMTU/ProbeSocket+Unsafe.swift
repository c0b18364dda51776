// SPDX-License-Identifier: Apache-2.0

import Glibc
import Inet

/// A UDP socket whose datagrams may not be fragmented, whatever the kernel knows of the path.
///
/// Safe to use: the descriptor belongs to this value alone and pointers do not leave a call.
final class ProbeSocket: Sendable {
  struct Refusal: Error { let errno: Int32 }

  private let descriptor: Int32

  /// Opens a socket at a port, in the network namespace of the calling thread.
  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Refusal(errno: errno) }
    var mode = IP_PMTUDISC_PROBE
    let length = socklen_t(MemoryLayout<Int32>.size)
    let local = SocketAddress(IPv4Address(bits: 0), port: port)
    guard unsafe setsockopt(descriptor, Int32(IPPROTO_IP), IP_MTU_DISCOVER, &mode, length) == 0,
      unsafe Self.with(local, { unsafe bind(descriptor, $0, $1) }) == 0
    else { throw Refusal(errno: errno) }
  }

  deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

  /// Sends a datagram, of 28 bytes more with its headers; gives whether the kernel took it.
  @discardableResult
  func send(_ length: Int, to remote: SocketAddress) -> Bool {
    let bytes = [UInt8](repeating: 7, count: length)
    return unsafe bytes.withUnsafeBytes { buffer in
      unsafe Self.with(remote) { name, length in
        unsafe sendto(descriptor, buffer.baseAddress, buffer.count, 0, name, length)
      }
    } == length
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
}

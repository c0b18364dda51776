// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Inet

/// A UDP socket on the loopback interface, with nothing of the product in between.
///
/// Safe to use: the descriptor belongs to this object alone and pointers do not leave a call.
package final class PlainSocket {
  /// A datagram and where it came from.
  package struct Datagram: Equatable {
    /// What it carries.
    package var bytes: [UInt8]
    /// Its sender.
    package var source: SocketAddress
  }

  /// The system refused something.
  package struct Refusal: Error { let call: String, number: CInt }

  /// 127.0.0.1.
  package static var loopback: IPv4Address { IPv4Address(bits: 0x7F00_0001) }

  private let descriptor: CInt
  /// The UDP port it is bound to.
  package let udpPort: UInt16

  /// Binds a socket; to a free port if `udpPort` is 0.
  package init(udpPort: UInt16 = 0, address: IPv4Address = loopback) throws {
    let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
    self.descriptor = descriptor
    guard descriptor >= 0 else { throw Refusal(call: "socket", number: errno) }
    var name = PlainSocket.name(SocketAddress(address, port: udpPort))
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(descriptor, pointer, length) == 0
          ? getsockname(descriptor, pointer, &length) : -1
      }
    }
    self.udpPort = name.sin_port.bigEndian
    guard result == 0 else { throw Refusal(call: "bind", number: errno) }
    set(SOL_SOCKET, SO_RCVBUF, 8 << 20)
  }

  deinit { close(descriptor) }

  /// A UDP port that nobody has at this moment.
  package static func freePort() throws -> UInt16 {
    try PlainSocket(address: IPv4Address(bits: 0)).udpPort
  }

  private static func name(_ address: SocketAddress) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = address.port.bigEndian
    name.sin_addr.s_addr = address.address.bits.bigEndian
    return name
  }

  @discardableResult
  private func set(_ level: CInt, _ option: CInt, _ value: CInt) -> Bool {
    var value = value
    return unsafe setsockopt(
      descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
  }

  /// Has the kernel join what is received (UDP_GRO): one `receive` gives what was one message.
  package func join() -> Bool { set(17, 104, 1) }

  /// Has the kernel cut what is sent into datagrams of so many bytes (UDP_SEGMENT).
  package func cut(into length: Int) -> Bool { set(17, 103, CInt(length)) }

  /// Sends a datagram to a port on the loopback interface; false if the kernel would not.
  @discardableResult
  package func send(_ bytes: [UInt8], to udpPort: UInt16) -> Bool {
    var name = PlainSocket.name(SocketAddress(PlainSocket.loopback, port: udpPort))
    let sent = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe sendto(
          descriptor, bytes, bytes.count, 0, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return sent == bytes.count
  }

  /// The next datagram; waits up to `milliseconds` for it.
  package func receive(milliseconds: CInt = 5000) -> Datagram? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&waiting, 1, milliseconds) == 1 else { return nil }
    var name = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe withUnsafeMutablePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe recvfrom(
          descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT), pointer, &length)
      }
    }
    guard count >= 0 else { return nil }
    let source = SocketAddress(
      IPv4Address(bits: name.sin_addr.s_addr.bigEndian), port: name.sin_port.bigEndian)
    return Datagram(bytes: Array(bytes.prefix(count)), source: source)
  }

  /// The payloads of the next `count` datagrams, or of those that come.
  package func receive(count: Int) -> [[UInt8]] {
    var payloads: [[UInt8]] = []
    while payloads.count < count, let next = receive() { payloads.append(next.bytes) }
    return payloads
  }

  /// Whether nothing is there to be received.
  package var isEmpty: Bool { receive(milliseconds: 0) == nil }
}

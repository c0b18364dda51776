// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Bytes on a unix socket without any client library in between.
///
/// Safe to use: the descriptor belongs to this value alone and pointers do not leave a call.
struct RawConnection: ~Copyable {
  private let descriptor: Int32

  /// Connects, or binds and listens; nil if the kernel refuses.
  init?(path: String, listening: Bool = false) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < 108 else { return nil }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe listening
          ? bind(descriptor, address, length) : Glibc.connect(descriptor, address, length)
      }
    }
    guard result == 0, !listening || listen(descriptor, 4) == 0 else {
      close(descriptor)
      return nil
    }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    self.descriptor = descriptor
  }

  /// Connects, sends `bytes`, says that there is no more and reads the answer; nil if refused.
  ///
  /// On a thread of its own: the calls block, and tasks have only as many threads as cores.
  static func exchange(_ bytes: [UInt8], path: String) async -> [UInt8]? {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        guard let connection = RawConnection(path: path) else {
          return continuation.resume(returning: nil)
        }
        connection.send(bytes)
        connection.finish()
        continuation.resume(returning: connection.receive())
      }
    }
  }

  /// Sends as much as the other end takes within five seconds; returns how much that was.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Int {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes[sent...].withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { break }
      sent += count
    }
    return sent
  }

  /// Says that nothing more will be sent.
  func finish() {
    shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Reads until the other end closes, five seconds pass without a byte, or `limit` bytes are in.
  func receive(atMost limit: Int = 65_536) -> [UInt8] {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while received.count < limit {
      let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      received += buffer[..<count]
    }
    return received
  }

  deinit {
    close(descriptor)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A raw socket that gets ICMP "destination unreachable" and nothing else; never waits but in
/// `wait(until:)`.
///
/// Proof of safety: the descriptor is closed with the last reference, and a call of the kernel is
/// made by somebody who holds one. Pointers to bytes are handed over for the length of a call, with
/// the true length; the kernel writes at most that many bytes.
@safe
final class ICMPSocket: Sendable {
  private let descriptor: Int32

  /// Room for what the kernel holds: some hundreds of messages.
  private static let bufferLength: Int32 = 256 << 10

  /// Opens the socket in the network namespace of the calling thread.
  init() throws(TransportError) {
    let flags = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    descriptor = socket(AF_INET, flags, Int32(IPPROTO_ICMP))
    guard descriptor >= 0 else { throw .system(call: "socket(SOCK_RAW)", errno: errno) }
    // A bit that is set refuses the type of its number.
    var refused = ~(UInt32(1) << 3)
    let length = socklen_t(MemoryLayout<UInt32>.size)
    guard unsafe setsockopt(descriptor, Self.rawLevel, Self.icmpFilter, &refused, length) >= 0
    else { throw .system(call: "setsockopt(ICMP_FILTER)", errno: errno) }
    var room = Self.bufferLength
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, length)
  }

  deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

  /// Waits until there is something to receive; false if `event` was signalled first.
  func wait(until event: Int32) -> Bool {
    var descriptors = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: event, events: Int16(POLLIN), revents: 0),
    ]
    _ = unsafe poll(&descriptors, nfds_t(descriptors.count), -1)
    return descriptors[1].revents == 0
  }

  /// Receives a packet, with its IPv4 header, of which `limit` bytes are kept; nil if there is none
  /// now.
  func receive(limit: Int) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: limit)
    let length = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0)
    }
    guard length >= 0 else { return nil }
    buffer.removeSubrange(length...)
    return buffer
  }

  // Numbers of the kernel's that the C library's headers for Swift leave out (linux/icmp.h).
  private static let rawLevel: Int32 = 255
  private static let icmpFilter: Int32 = 1
}

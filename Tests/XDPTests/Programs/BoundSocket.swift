// SPDX-License-Identifier: Apache-2.0

import Glibc
import XDP

/// An AF_XDP socket on queue 0 of an interface that receives up to 32 frames and keeps them.
///
/// It is written against the kernel's interface only, so that it does not trust the rings it might
/// one day be used to test.
@safe
struct BoundSocket: ~Copyable {
  let descriptor: CInt
  private let umem: UnsafeMutableRawPointer
  private let rxRing: UnsafeMutableRawPointer
  private let rxProducer: Int

  init(interfaceIndex: UInt32) throws {
    let descriptor = try openSocket(Constant.family, SOCK_RAW)
    let umem = unsafe try map(-1, at: 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)
    let offsets = try setRings(descriptor, umem: UInt64(UInt(bitPattern: umem)))
    let rxRing = unsafe try map(descriptor, at: 0, MAP_SHARED | MAP_POPULATE)
    try fill(descriptor, offsets)
    try bindCopyMode(descriptor, interfaceIndex)
    self.descriptor = descriptor
    unsafe self.umem = umem
    unsafe self.rxRing = rxRing
    rxProducer = Int(offsets[0])
  }

  deinit {
    // The kernel keeps the socket, and its place in the map, as long as a ring is mapped.
    unsafe munmap(rxRing, ringLength)
    _ = close(descriptor)
    unsafe munmap(umem, umemLength)
  }

  /// Frames that the kernel has put into the RX ring.
  var receivedCount: UInt32 {
    unsafe rxRing.load(fromByteOffset: rxProducer, as: UInt32.self)
  }
}

private typealias Constant = UnboundSocket.Constant
private let frameCount = 32
private let umemLength = frameCount * 4096
/// Enough for every ring of 64 entries.
private let ringLength = 4096

/// Registers the UMEM, makes the rings and says where their parts are: for RX, TX, fill and
/// completion the offsets of producer, consumer, entries and flags.
private func setRings(_ descriptor: CInt, umem: UInt64) throws -> [UInt64] {
  try setOption(descriptor, Constant.umem, [umem, UInt64(umemLength), UInt64(4096), 0])
  for ring in [Constant.fillRing, Constant.completionRing, Constant.rxRing] {
    try setOption(descriptor, ring, [UInt32(64)])
  }
  var offsets = [UInt64](repeating: 0, count: 16)
  var length = socklen_t(offsets.count * 8)
  guard
    unsafe getsockopt(descriptor, Constant.level, Constant.mapOffsets, &offsets, &length) == 0
  else { throw TestFailure.errno("getsockopt(XDP_MMAP_OFFSETS)") }
  return offsets
}

/// Gives every frame to the kernel.
private func fill(_ descriptor: CInt, _ offsets: [UInt64]) throws {
  let ring = unsafe try map(
    descriptor, at: Constant.fillRingPage, MAP_SHARED | MAP_POPULATE)
  defer { unsafe munmap(ring, ringLength) }
  for index in 0..<frameCount {
    unsafe ring.storeBytes(
      of: UInt64(index * 4096), toByteOffset: Int(offsets[10]) + index * 8, as: UInt64.self)
  }
  unsafe ring.storeBytes(
    of: UInt32(frameCount), toByteOffset: Int(offsets[8]), as: UInt32.self)
}

private func bindCopyMode(_ descriptor: CInt, _ interfaceIndex: UInt32) throws {
  // Family and flags, interface, queue, and a descriptor that is not used.
  let family = UInt32(Constant.family)
  let address = [family | UInt32(Constant.copyMode) << 16, interfaceIndex, UInt32(0), 0]
  let result = unsafe address.withUnsafeBytes {
    unsafe bind(
      descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
  }
  guard result == 0 else { throw TestFailure.errno("bind(AF_XDP)") }
}

/// Maps a ring of a socket, or memory for the UMEM.
private func map(_ file: CInt, at page: Int, _ flags: CInt) throws -> UnsafeMutableRawPointer {
  let length = file < 0 ? umemLength : ringLength
  let memory = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, flags, file, page)
  guard unsafe memory != MAP_FAILED, let memory = unsafe memory else {
    throw TestFailure.errno("mmap")
  }
  return unsafe memory
}

/// Puts frames on the wire at an interface as they are.
struct FrameSender: ~Copyable {
  private let descriptor: CInt
  private let interfaceIndex: UInt32

  init(_ interface: String) throws {
    let index = try XDPTests.interfaceIndex(interface)
    let descriptor = try openSocket(AF_PACKET, SOCK_RAW)
    interfaceIndex = index
    self.descriptor = descriptor
  }

  deinit { _ = close(descriptor) }

  func send(_ frame: [UInt8], count: Int = 1) throws {
    // sockaddr_ll: family, EtherType, interface, hardware type, kind, address with its length.
    var address = [UInt32(AF_PACKET), interfaceIndex, 0x0600_0000, 0, 0]
    for _ in 0..<count {
      let sent = unsafe address.withUnsafeMutableBytes { bytes in
        unsafe sendto(
          descriptor, frame, frame.count, 0,
          bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
      }
      guard sent == frame.count else { throw TestFailure.errno("sendto") }
    }
  }
}

/// The host's own UDP socket at a port of any address.
struct HostSocket: ~Copyable {
  private let descriptor: CInt

  init(port: UInt16) throws {
    let descriptor = try openSocket(AF_INET, SOCK_DGRAM)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    let result = unsafe withUnsafeBytes(of: &address) {
      unsafe bind(
        descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    guard result == 0 else { throw TestFailure.errno("bind(UDP)") }
    self.descriptor = descriptor
  }

  deinit { _ = close(descriptor) }

  /// Waits for this many datagrams and says how many came.
  func receive(atLeast expected: Int) -> Int {
    var count = 0
    _ = eventually {
      count += drain()
      return count >= expected
    }
    return count
  }

  /// Takes all datagrams that are there and says how many they were.
  func drain() -> Int {
    var count = 0
    var byte: UInt8 = 0
    while unsafe recv(descriptor, &byte, 1, CInt(MSG_DONTWAIT)) >= 0 { count += 1 }
    return count
  }
}

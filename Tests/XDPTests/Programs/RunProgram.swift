// SPDX-License-Identifier: Apache-2.0

import CXDP
import Glibc
import XDP

/// What an XDP program says should become of a frame.
enum XDPVerdict: UInt32 {
  case aborted, drop, pass, transmit, redirect
}

/// The kernel does not run a program on less than an Ethernet header.
let runnableLengthMin = 14

extension XDPProgram {
  /// The program's verdict on one frame, by the kernel's BPF_PROG_TEST_RUN.
  ///
  /// The frame comes in at queue 0 of the loopback interface, unless another interface is given.
  func testRun(
    _ frame: [UInt8], interfaceIndex: UInt32 = 0, queue: UInt32 = 0
  ) throws -> XDPVerdict {
    let (result, verdict) = unsafe frame.withUnsafeBytes { bytes in
      var run = unsafe cxdp_run(
        frame: bytes.baseAddress, size: UInt32(bytes.count), interface: interfaceIndex,
        queue: queue, verdict: 0)
      return unsafe (cxdp_run_program(programDescriptor, &run), XDPVerdict(rawValue: run.verdict))
    }
    guard result >= 0, let verdict else {
      throw TestFailure("the test run of \(frame.count) bytes failed with \(result)")
    }
    return verdict
  }
}

/// An AF_XDP socket that has an RX ring and is bound to nothing.
///
/// The kernel takes such a socket into the map, which is all that a verdict depends on.
struct UnboundSocket: ~Copyable {
  let descriptor: CInt

  init() throws {
    let descriptor = try openSocket(Constant.family, SOCK_RAW)
    try setOption(descriptor, Constant.rxRing, [UInt32(64)])
    self.descriptor = descriptor
  }

  deinit { _ = close(descriptor) }

  /// Numbers of `linux/if_xdp.h`.
  enum Constant {
    static let family: CInt = 44
    static let level: CInt = 283
    static let mapOffsets: CInt = 1
    static let rxRing: CInt = 2
    static let umem: CInt = 4
    static let fillRing: CInt = 5
    static let completionRing: CInt = 6
    static let fillRingPage = 0x1_0000_0000
    static let copyMode: UInt16 = 2
  }
}

/// Opens a socket that no program started meanwhile inherits: an AF_XDP socket keeps its place in
/// the map for as long as anybody has a copy of it.
func openSocket(_ family: CInt, _ kind: __socket_type) throws -> CInt {
  let descriptor = socket(family, CInt(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else { throw TestFailure.errno("socket(\(family))") }
  return descriptor
}

/// Sets an option of an AF_XDP socket to an array of numbers.
func setOption(
  _ socket: CInt, _ option: CInt, _ value: [some FixedWidthInteger & BitwiseCopyable]
) throws {
  let result = unsafe value.withUnsafeBytes {
    unsafe setsockopt(
      socket, UnboundSocket.Constant.level, option, $0.baseAddress, socklen_t($0.count))
  }
  guard result == 0 else { throw TestFailure.errno("setsockopt(SOL_XDP, \(option))") }
}

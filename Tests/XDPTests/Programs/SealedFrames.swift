// SPDX-License-Identifier: Apache-2.0

import Glibc
import Inet
import TestSupport
import XDP

extension OuterFrame {
  /// The association that the tests set.
  static let association = SecurityAssociation(
    address: ours.address, identifier: 0x5EA1_0C0D)

  /// An ESP packet; its header is as long as UDP's, with the identifier where UDP has its ports.
  static func sealed(
    _ association: SecurityAssociation = association, payload: [UInt8]? = nil
  ) -> OuterFrame {
    var frame = OuterFrame()
    frame.protocolNumber = 50
    frame.destination = association.address
    frame.identifier = association.identifier
    if let payload { frame.payload = payload }
    return frame
  }

  /// The security parameters index, of an ESP packet.
  var identifier: UInt32 {
    get { UInt32(sourcePort) << 16 | UInt32(destinationPort) }
    set {
      sourcePort = UInt16(newValue >> 16)
      destinationPort = UInt16(newValue & 0xFFFF)
    }
  }
}

/// Whether a frame is an ESP packet of `OuterFrame.association`, written as differently from the
/// program as can be.
func isSealedForUs(_ frame: [UInt8]) -> Bool {
  let ip = Array(frame.dropFirst(14))
  guard frame.count >= 34, frame[0].isMultiple(of: 2), frame[12...13] == [8, 0],
    (0x45...0x4F).contains(ip[0])
  else { return false }
  let header = Int(ip[0] - 0x40) * 4
  guard ip.count >= header + 8, Int(ip[2]) * 256 + Int(ip[3]) >= header + 8 else { return false }
  let isFragment = ip[6] % 64 != 0 || ip[7] != 0
  return !isFragment && ip[9] == 50 && ip[16..<20] == [192, 0, 2, 1]
    && ip[header..<(header + 4)] == [0x5E, 0xA1, 0x0C, 0x0D]
}

extension SeededGenerator {
  /// An untagged IPv4 frame for one station: noise of protocol 50, or an ESP packet for us with a
  /// few bits changed or its end cut off.
  mutating func sealedFrame() -> [UInt8] {
    if number(below: 4) == 0 {
      var bytes = OuterFrame.sealed().bytes.prefix(14) + self.bytes(1 + number(below: 200))
      if bytes.count > 14 + 9 { bytes[14 + 9] = 50 }
      return Array(bytes)
    }
    var outer = OuterFrame.sealed(payload: bytes(number(below: 60)))
    outer.options = .init(repeating: 1, count: 4 * number(below: 11))
    var bytes = outer.bytes
    for _ in 0..<number(below: 3) {
      let index = 14 + number(below: min(60, bytes.count - 14))
      bytes[index] ^= 1 << UInt8(number(below: 8))
    }
    let cut = number(below: 2) == 0 ? 0 : number(below: 60)
    return Array(bytes.prefix(max(15, bytes.count - cut)))
  }
}

/// What the host's stack sees of IPv4 at an interface, as it is.
struct HostTap: ~Copyable {
  private let descriptor: CInt

  init(_ interface: String) throws {
    let index = try interfaceIndex(interface)
    let descriptor = try openSocket(AF_PACKET, SOCK_RAW)
    // sockaddr_ll: family with EtherType in network byte order, interface, and what is not used.
    let address = [UInt32(AF_PACKET) | 0x0008 << 16, index, 0, 0, 0]
    let result = unsafe address.withUnsafeBytes {
      unsafe bind(
        descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    guard result == 0 else { throw TestFailure.errno("bind(AF_PACKET)") }
    self.descriptor = descriptor
  }

  deinit { _ = close(descriptor) }

  /// Waits for this many frames and gives those that came, in order.
  func receive(_ count: Int) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    _ = eventually {
      frames += drain()
      return frames.count >= count
    }
    return frames
  }

  /// Takes all frames that are there.
  func drain() -> [[UInt8]] {
    var frames: [[UInt8]] = []
    var buffer = [UInt8](repeating: 0, count: 2048)
    while true {
      let length = unsafe recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
      guard length >= 0 else { return frames }
      frames.append(Array(buffer[..<length]))
    }
  }
}

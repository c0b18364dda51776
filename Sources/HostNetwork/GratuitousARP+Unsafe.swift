// SPDX-License-Identifier: Apache-2.0

internal import CLinux
package import Inet

/// Telling a segment that an address is now at a hardware address (RFC 5227, section 3).
///
/// Others may hold an entry of the address's last owner, and switches need a frame to learn from.
package enum GratuitousARP {
  /// A lost announcement costs a neighbour's cache time, so there is a second one.
  package static let count = 2

  /// Sends the announcement out of an interface of the calling thread's namespace.
  package static func announce(
    _ address: IPv4Address, at mac: MACAddress, on interface: InterfaceIndex
  ) throws(HostNetworkError) {
    let subject = "gratuitous ARP for \(address)"
    let frame = frame(address, at: mac)
    let socket = FileDescriptor(
      owning: try shimCall("socket", subject: subject) { clinux_open_packet_socket() })
    let number = socket.rawValue
    for _ in 0..<count {
      try shimCall("sendto", subject: subject) {
        unsafe frame.withUnsafeBytes { bytes in
          unsafe clinux_send_packet(number, interface.rawValue, bytes.baseAddress, bytes.count)
        }
      }
    }
  }

  /// The announcement's 42 bytes: a broadcast ARP request of the address for itself (RFC 826).
  package static func frame(_ address: IPv4Address, at mac: MACAddress) -> [UInt8] {
    let station = octets(mac.bits, count: 6)
    let owner = octets(UInt64(address.bits), count: 4)
    let ethernet = octets(MACAddress.broadcast.bits, count: 6) + station + [0x08, 0x06]
    // Ethernet, IPv4, address lengths 6 and 4, request.
    let arp: [UInt8] = [0, 1, 0x08, 0, 6, 4, 0, 1]
    return ethernet + arp + station + owner + octets(0, count: 6) + owner
  }

  private static func octets(_ bits: UInt64, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * (count - 1 - $0))) }
  }
}

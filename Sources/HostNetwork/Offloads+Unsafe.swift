// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What drivers do for the network stack, read and switched through ethtool's ioctl.
///
/// A container that leaves checksums and segmentation to its veth hands the data plane frames
/// without checksums and longer than the MTU. The kernel would repair both at the next real
/// interface; an AF_XDP socket sees them as they are. So the container's end has them off.
///
/// Names and structures are handed to the kernel only for the length of a call.
package struct Offloads: ~Copyable {
  private let descriptor: FileDescriptor

  /// Opens the calling thread's network namespace for questions about its interfaces.
  package init() throws(HostNetworkError) {
    descriptor = FileDescriptor(
      owning: try systemCall("socket", subject: "ethtool") {
        socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      })
  }

  /// Whether the interface's driver, and not the stack, writes checksums of what is sent.
  package borrowing func isTransmitChecksumOn(
    _ interface: String
  ) throws(HostNetworkError) -> Bool {
    try value(CLINUX_ETHTOOL_GTXCSUM, interface) != 0
  }

  /// Whether the interface's driver, and not the stack, cuts TCP data into segments.
  package borrowing func isTCPSegmentationOn(
    _ interface: String
  ) throws(HostNetworkError) -> Bool {
    try value(CLINUX_ETHTOOL_GTSO, interface) != 0
  }

  /// Has the stack finish every frame before the interface gets it, and checks that it does.
  ///
  /// Without checksums a driver cannot segment, so the kernel takes TCP and UDP segmentation away
  /// as well. The stack's own late segmentation (GSO) stays on: it happens before the driver is
  /// called and makes frames of the MTU. `ethtool -k` may still sum up segmentation as on for the
  /// sake of `tx-tcp-accecn-segmentation`, which does nothing without the others.
  package borrowing func disableTransmitChecksum(_ interface: String) throws(HostNetworkError) {
    try set(CLINUX_ETHTOOL_STXCSUM, interface, 0)
    if try isTransmitChecksumOn(interface) {
      throw .offloadStays(interface: interface, offload: "transmit checksum offload")
    }
    if try isTCPSegmentationOn(interface) {
      try set(CLINUX_ETHTOOL_STSO, interface, 0)
    }
    if try isTCPSegmentationOn(interface) {
      throw .offloadStays(interface: interface, offload: "TCP segmentation offload")
    }
  }

  /// The name of the driver, such as `veth`.
  package borrowing func driver(_ interface: String) throws(HostNetworkError) -> String {
    try checkInterfaceName(interface)
    let number = descriptor.rawValue
    var result: Int32 = 0
    let name = textFromC(capacity: 64) {
      result = unsafe clinux_ethtool_driver(number, interface, $0, $1)
    }
    try shimCall("ethtool", subject: interface) { result }
    return name
  }

  /// The channels in use, or nil if the driver does not tell.
  package borrowing func channels(
    _ interface: String
  ) throws(HostNetworkError) -> ChannelCounts? {
    try checkInterfaceName(interface)
    let number = descriptor.rawValue
    var counts = clinux_channels()
    do {
      try shimCall("ethtool", subject: interface) {
        unsafe clinux_ethtool_channels(number, interface, &counts)
      }
    } catch .system(let error) where error.errno == EOPNOTSUPP {
      return nil
    }
    return ChannelCounts(
      receive: Int(counts.receive), transmit: Int(counts.transmit),
      combined: Int(counts.combined))
  }

  private borrowing func value(
    _ command: Int, _ interface: String
  ) throws(HostNetworkError) -> UInt32 {
    try checkInterfaceName(interface)
    let number = descriptor.rawValue
    var value: UInt32 = 0
    try shimCall("ethtool", subject: interface) {
      unsafe clinux_ethtool_get(number, interface, UInt32(command), &value)
    }
    return value
  }

  private borrowing func set(
    _ command: Int, _ interface: String, _ value: UInt32
  ) throws(HostNetworkError) {
    try checkInterfaceName(interface)
    let number = descriptor.rawValue
    try shimCall("ethtool", subject: interface) {
      unsafe clinux_ethtool_set(number, interface, UInt32(command), value)
    }
  }
}

/// Numbers of channels (queues with their interrupts) of an interface.
package struct ChannelCounts: Equatable, Sendable {
  /// Channels that only receive.
  package let receive: Int
  /// Channels that only transmit.
  package let transmit: Int
  /// Channels that do both.
  package let combined: Int

  /// How many queues frames can arrive on, each of which AF_XDP must bind.
  package var receiveQueueCount: Int { receive + combined }
  /// How many queues frames can leave by.
  package var transmitQueueCount: Int { transmit + combined }
}

extension NetlinkSocket {
  /// How many queues frames of an interface can arrive on.
  ///
  /// What the driver tells, or, where it does not, the number the interface was made with.
  package mutating func receiveQueueCount(of link: Link) throws(HostNetworkError) -> Int {
    let channels = try Offloads().channels(link.name)
    return max(1, channels?.receiveQueueCount ?? link.receiveQueueCount)
  }
}

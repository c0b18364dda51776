// SPDX-License-Identifier: Apache-2.0

internal import CLinux
package import Inet
internal import Synchronization

/// Sends test frames out of the end of a pair that is not the data plane's, to the one that is.
///
/// A container's pair is down while its port is made; then both ends are up only between `begin()`
/// and `end()`, without an address and before anybody inside knows of the interface.
///
/// Its sockets keep the container's namespace alive: let go of it once the port is open.
///
/// Unsafe here: the frames' bytes, which C reads during the call and does not keep.
package final class TestFrameSender: Sendable {
  /// The sending end's own hardware address.
  package let source: MACAddress
  /// The hardware address of the data plane's end.
  package let destination: MACAddress
  /// The longest frame the pair takes, in bytes with the Ethernet header.
  package let frameLengthMax: Int
  /// The sending end, in its own namespace.
  private let interface: InterfaceIndex
  /// The data plane's end, if both ends have to be brought up.
  private let raisedHostEnd: InterfaceIndex?
  private let sockets: Mutex<Sockets>

  /// Both belong to the namespace they were opened in, whichever thread uses them.
  private struct Sockets: ~Copyable {
    var netlink: NetlinkSocket
    let packets: FileDescriptor
  }

  /// Sends from `end`, which is an interface of the calling thread's namespace; `raising` says that
  /// both ends are down and to be brought up for the test.
  init(from end: Link, to hostEnd: Link, raising: Bool) throws(HostNetworkError) {
    interface = end.index
    raisedHostEnd = raising ? hostEnd.index : nil
    source = end.mac ?? .zero
    destination = hostEnd.mac ?? .zero
    frameLengthMax = min(end.mtu, hostEnd.mtu) + 14
    let packets = FileDescriptor(
      owning: try shimCall("socket", subject: "test frames") { clinux_open_frame_sender() })
    sockets = Mutex(Sockets(netlink: try NetlinkSocket(), packets: packets))
  }

  /// Sends from the host's own end of its pair, which is up already.
  package convenience init(of pair: HostPair) throws(HostNetworkError) {
    try self.init(from: pair.host, to: pair.switchEnd, raising: false)
  }

  /// Brings both ends up where they are down.
  package func begin() throws(HostNetworkError) {
    guard let raisedHostEnd else { return }
    var host = try NetlinkSocket()
    try host.change(raisedHostEnd, .up)
    try change(.up)
  }

  /// Takes both ends down again if `begin()` brought them up.
  ///
  /// What cannot be taken down stays up, as it will be soon.
  package func end() {
    guard let raisedHostEnd else { return }
    var down = LinkChanges()
    down.isUp = false
    try? change(down)
    guard var host = try? NetlinkSocket() else { return }
    try? host.change(raisedHostEnd, down)
  }

  private func change(_ changes: LinkChanges) throws(HostNetworkError) {
    try sockets.withLock { (sockets) throws(HostNetworkError) in
      try sockets.netlink.change(interface, changes)
    }
  }

  /// Sends frames of `length` bytes each, 64 at most, which lie one after the other in `frames`.
  ///
  /// Gives how many were sent, and the nanoseconds that the system call took; on a veth pair the
  /// other end's receive work is done within it.
  package func send(
    _ frames: [UInt8], length: Int
  ) throws(HostNetworkError) -> (count: Int, nanoseconds: UInt64) {
    precondition(length > 0 && frames.count.isMultiple(of: length), "whole frames")
    return try sockets.withLock { (sockets) throws(HostNetworkError) in
      let descriptor = sockets.packets.rawValue
      var nanoseconds: UInt64 = 0
      let count = try shimCall("sendmmsg", subject: "test frames") {
        unsafe frames.withUnsafeBytes { bytes in
          unsafe clinux_send_burst(
            descriptor, interface.rawValue, bytes.baseAddress, length, bytes.count / length,
            &nanoseconds)
        }
      }
      return (Int(count), nanoseconds)
    }
  }
}

extension PreparedInterface {
  /// A sender on the container's end, for the time until `finish()`.
  package borrowing func testFrameSender() throws(HostNetworkError) -> TestFrameSender {
    let (hostEnd, name) = (hostEnd, containerInterface)
    return try visit { () throws(HostNetworkError) in
      var netlink = try NetlinkSocket()
      let end = try netlink.existingLink(named: name)
      return try TestFrameSender(from: end, to: hostEnd, raising: true)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A reason to look at a container's interface.
package enum ContainerEvent: Hashable, Sendable {
  /// Something of the interface changed, came or went, its addresses included.
  case changed(InterfaceIndex, namespace: Int32)
  /// Events were lost: every container is to be looked at.
  case overflow
}

/// Hears of changes to links and IPv4 addresses inside of other network namespaces.
///
/// The kernel tells of those that have a number in this one, as each has where the other end of a
/// veth of ours is. It tells nothing of a namespace that came before it had one; a slow look at
/// everything is needed beside this.
package struct ContainerMonitor: ~Copyable, Sendable {
  private static let receiveBufferLength = 1 << 20
  private static let datagramCountMax = 1024

  private var socket: NetlinkSocket

  /// Begins to listen to the neighbours of the calling thread's namespace.
  package init() throws(HostNetworkError) {
    let groups = [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR]
    let listening = try NetlinkSocket(
      listeningTo: groups.map(\.rawValue), receiveBufferLength: Self.receiveBufferLength)
    try listening.listenEverywhere()
    socket = listening
  }

  /// The descriptor to poll; valid while the monitor lives.
  package var descriptor: Int32 { socket.descriptor }

  /// What is to be looked at since the last call, each once.
  package mutating func drain() throws(HostNetworkError) -> Set<ContainerEvent> {
    var events: Set<ContainerEvent> = []
    for _ in 0..<Self.datagramCountMax {
      do {
        guard let datagram = try socket.receive(call: "monitor") else { return events }
        guard let namespace = datagram.namespace else { continue }
        for reply in try NetlinkReply.parse(datagram.bytes, call: "monitor") {
          guard let index = try NetworkEvent(reply)?.interface else { continue }
          events.insert(.changed(index, namespace: namespace))
        }
      } catch .repliesLost, .malformedReply {
        events.insert(.overflow)
      }
    }
    return events
  }
}

extension NetworkEvent {
  /// The interface that a link or an address is about.
  fileprivate var interface: InterfaceIndex? {
    switch self {
    case .linkChanged(let link): link.index
    case .linkRemoved(let index, _): index
    case .addressChanged(let address, _): address.interface
    case .neighbourChanged, .routeChanged, .overflow: nil
    }
  }
}

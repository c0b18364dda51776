// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A change of the host's network that somebody made.
package enum NetworkEvent: Equatable, Sendable {
  /// Whether what an event tells of is there or gone.
  package enum Presence: Equatable, Sendable {
    /// It is new, or changed.
    case present
    /// It is gone.
    case removed
  }

  /// An interface is new or changed: name, up, MTU, alias, program and the rest.
  case linkChanged(Link)
  /// An interface is gone.
  case linkRemoved(InterfaceIndex, name: String)
  /// A neighbour's state or hardware address changed.
  case neighbourChanged(Neighbour, Presence)
  /// An interface got or lost an IPv4 address.
  case addressChanged(InterfaceAddress, Presence)
  /// An IPv4 route came or went.
  case routeChanged(Route, Presence)
  /// Events were lost: everything must be read again.
  case overflow
}

/// Hears of every change to links, neighbours, IPv4 addresses and IPv4 routes of a namespace.
///
/// Wait for `descriptor` to become readable, then `drain()`. What was there before is not told.
package struct NetworkMonitor: ~Copyable, Sendable {
  /// Room for some thousand events while nobody drains.
  private static let receiveBufferLength = 1 << 20
  /// One drain ends after so many datagrams, so that a storm cannot hold its caller for ever; the
  /// descriptor then still is readable.
  private static let datagramCountMax = 1024

  private var socket: NetlinkSocket

  /// Begins to listen in the calling thread's network namespace.
  package init() throws(HostNetworkError) {
    try self.init(receiveBufferLength: Self.receiveBufferLength)
  }

  /// Begins to listen with a buffer of a given size; the kernel has a least and a largest one.
  package init(receiveBufferLength: Int) throws(HostNetworkError) {
    let groups = [RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE]
    socket = try NetlinkSocket(
      listeningTo: groups.map(\.rawValue), receiveBufferLength: receiveBufferLength)
  }

  /// The descriptor to poll; valid while the monitor lives.
  package var descriptor: Int32 { socket.descriptor }

  /// The events since the last call, in the kernel's order; empty if there are none.
  package mutating func drain() throws(HostNetworkError) -> [NetworkEvent] {
    var events: [NetworkEvent] = []
    for _ in 0..<Self.datagramCountMax {
      do {
        guard let datagram = try socket.receive(call: "monitor") else { return events }
        for reply in try NetlinkReply.parse(datagram.bytes, call: "monitor") {
          if let event = try NetworkEvent(reply) { events.append(event) }
        }
      } catch .repliesLost, .malformedReply {
        // An event that cannot be read is as good as lost.
        if events.last != .overflow { events.append(.overflow) }
      }
    }
    return events
  }
}

extension NetworkEvent {
  /// Reads one message; nil if it is of no interest here.
  package init?(_ reply: NetlinkReply) throws(HostNetworkError) {
    let event: NetworkEvent?
    switch Int(reply.type) {
    case RTM_NEWLINK: event = try Link(reply).map { .linkChanged($0) }
    case RTM_DELLINK: event = try Link(reply).map { .linkRemoved($0.index, name: $0.name) }
    case RTM_NEWNEIGH: event = try Neighbour(reply).map { .neighbourChanged($0, .present) }
    case RTM_DELNEIGH: event = try Neighbour(reply).map { .neighbourChanged($0, .removed) }
    case RTM_NEWADDR: event = try InterfaceAddress(reply).map { .addressChanged($0, .present) }
    case RTM_DELADDR: event = try InterfaceAddress(reply).map { .addressChanged($0, .removed) }
    case RTM_NEWROUTE: event = try Route(reply).map { .routeChanged($0, .present) }
    case RTM_DELROUTE: event = try Route(reply).map { .routeChanged($0, .removed) }
    default: event = nil
    }
    guard let event else { return nil }
    self = event
  }
}

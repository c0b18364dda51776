// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet

/// Containers' veths of a host under test, all of whose other ends are in one room and silent.
///
/// They are there to be served, not to be busy.
final class Crowd: Sendable {
  /// The host's ends.
  let links: [Link]
  private let room: Room

  /// How many are made between two looks at the user.
  static let batch = 100

  /// Makes `count` pairs, all up.
  init(_ count: Int, at host: Room, in run: ScenarioRun) throws {
    let room = try Room("crowd")
    for place in [host, room] {
      _ = try place.furnish { (_) throws(HostNetworkError) in
        try KernelSetting("net/ipv6/conf/default/disable_ipv6").set("1")
      }
    }
    let started = Stopwatch.now
    var links: [Link] = []
    for first in stride(from: 0, to: count, by: Crowd.batch) {
      try run.check()
      let numbers = first..<min(first + Crowd.batch, count)
      links += try host.furnish { (netlink) throws(HostNetworkError) in
        try netlink.makePairs(numbers, peersIn: room)
      }
      let seconds = Double(Stopwatch.now - started) / 1e9
      run.report("\(links.count) of \(count) pairs are made" + String(format: ", %.1f s", seconds))
    }
    try room.furnish { (netlink) throws(HostNetworkError) in
      for link in try netlink.links() { try netlink.change(link.index, .up) }
    }
    self.links = links
    self.room = room
  }

  /// Each container says once that it is there, as `weft attach` has it do.
  ///
  /// Returns how many frames that were.
  func announce() throws -> Int {
    try room.furnish { (netlink) throws(HostNetworkError) in
      let ends = try netlink.links().filter { $0.name != "lo" }
      for (number, end) in ends.enumerated() {
        try GratuitousARP.announce(
          IPv4Address(bits: 0x0A40_0000 + UInt32(number)),
          at: MACAddress(bits: 0x02_00_00_02_00_00 + UInt64(number)), on: end.index)
      }
      return ends.count * GratuitousARP.count
    }
  }
}

extension NetlinkSocket {
  /// Makes pairs whose ends here have neither ARP nor, by the room's default, IPv6.
  fileprivate mutating func makePairs(
    _ numbers: Range<Int>, peersIn room: Room
  ) throws(HostNetworkError) -> [Link] {
    var changes = LinkChanges.up
    changes.isARPOn = false
    var links: [Link] = []
    for number in numbers {
      let options = VethOptions(name: "crowd\(number)", peerName: "c\(number)")
      let link = try createVethPair(options, peerIn: room.namespace)
      try change(link.index, changes)
      links.append(link)
    }
    return links
  }
}

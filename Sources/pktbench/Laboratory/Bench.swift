// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Wire

/// A sender, a host under test and a wire, each in a room of its own.
///
///     source: gen0 ── port0 :host: wire0 ── sink0 :sink
///
/// Transmit offloads are off on both ends of the wire and at the sender; interfaces do not speak by
/// themselves, so that every frame counted is one of the generator's.
final class Bench: Sendable {
  /// What is built between `port0` and `wire0`, in messages.
  let name: String
  /// What the generator sends.
  let flows: Flows
  let host: Room
  let sink: Sink
  let port: Link
  let wire: Link
  private let source: Room
  private let far: Room
  private let generator: Generator

  /// The underlay's MTU, which has room for the outer headers of a frame of 1500.
  static let wireMTU = 1600
  static let hostAddress = IPv4Address(bits: 0xC000_0201)
  static let remoteAddress = IPv4Address(bits: 0xC000_0202)
  static let wireMAC = MACAddress(bits: 0x02_00_00_00_02_01)
  static let remoteMAC = MACAddress(bits: 0x02_00_00_00_02_02)
  static let network: UInt32 = 42

  /// Makes rooms, pairs, generator and sink.
  init(_ name: String, flows: Flows, generatorCore: Int) throws {
    self.name = name
    self.flows = flows
    let source = try Room("source")
    let host = try Room("host")
    let far = try Room("sink")
    (port, wire) = try host.furnish { (netlink) throws(HostNetworkError) in
      var port = VethOptions(name: "port0", peerName: "gen0")
      port.peerMAC = Flows.source
      let portLink = try netlink.createVethPair(port, peerIn: source.namespace)
      var wire = VethOptions(name: "wire0", peerName: "sink0")
      wire.mtu = Bench.wireMTU
      wire.mac = Bench.wireMAC
      wire.peerMAC = Bench.remoteMAC
      let wireLink = try netlink.createVethPair(wire, peerIn: far.namespace)
      try netlink.silence(portLink)
      try netlink.quieten(wireLink.name)
      try netlink.change(portLink.index, .up)
      try netlink.change(wireLink.index, .up)
      return (portLink, wireLink)
    }
    let farEnd = try far.furnish { (netlink) throws(HostNetworkError) in
      try netlink.raise("sink0")
    }
    _ = try source.furnish { (netlink) throws(HostNetworkError) in try netlink.raise("gen0") }
    sink = try far.visit { try Sink(interface: farEnd) }
    generator = try Generator(room: source, interface: "gen0", flows: flows, core: generatorCore)
    self.source = source
    self.host = host
    self.far = far
  }

  /// Sends for this long and says what became of it.
  ///
  /// `dropped` reads what the host under test counted as dropped so far.
  func run(seconds: Double, dropped: () throws -> UInt64) throws -> Sample {
    let before = try counts(dropped)
    let processor = ProcessorTimes.now()
    let sent = try generator.run(seconds: seconds)
    let after = try settled(dropped)
    let used = processor.flatMap { ProcessorTimes.now()?.since($0).busySeconds }
    let arrived = Int(after.arrived - before.arrived)
    let known = arrived + Int(after.dropped - before.dropped)
    return Sample(
      frames: arrived, seconds: sent.seconds, cpuSeconds: used, lost: sent.frames - known)
  }

  /// Sends one frame of each flow and throws unless all arrive inside VXLAN, unchanged.
  func prove() throws {
    let receiver = try far.visit { try Receiver(interface: "sink0") }
    try sink.redirect(to: receiver.socket)
    defer { try? sink.redirect(to: nil) }
    try warmUp(receiver)
    for burst in 0..<(Flows.count / 64) {
      _ = try generator.run(seconds: 5, limit: 64)
      for number in 0..<64 {
        guard let outer = receiver.next(seconds: 5) else {
          throw LaboratoryError("\(name): frame \(burst * 64 + number) did not arrive")
        }
        try check(outer)
      }
    }
    receiver.close()
  }

  /// Sends until something arrives, as interfaces that were just set up drop for a moment, and then
  /// until nothing is under way.
  private func warmUp(_ receiver: Receiver) throws {
    for _ in 0..<100 {
      _ = try generator.run(seconds: 5, limit: 16)
      guard receiver.next(seconds: 0.1) != nil else { continue }
      while receiver.next(seconds: 0.1) != nil {}
      return
    }
    throw LaboratoryError("\(name): no frame arrives at the far end")
  }

  private func check(_ outer: [UInt8]) throws {
    guard case .opened(let opened) = openVXLAN(outer.span) else {
      throw LaboratoryError("\(name): what arrives is not VXLAN")
    }
    let inner = Array(outer[opened.innerOffset..<(opened.innerOffset + opened.innerLength)])
    guard opened.network.bits == Bench.network, opened.source == Bench.hostAddress,
      flows.contains(inner)
    else { throw LaboratoryError("\(name): what arrives is not what was sent") }
  }

  private func counts(_ dropped: () throws -> UInt64) throws -> (arrived: UInt64, dropped: UInt64) {
    let atSource = try source.furnish { (netlink) throws(HostNetworkError) in
      try netlink.transmitDropped("gen0")
    }
    let atWire = try host.furnish { (netlink) throws(HostNetworkError) in
      try netlink.transmitDropped("wire0")
    }
    return (try sink.count(), atSource + atWire + (try dropped()))
  }

  /// The counts once nothing has moved for a while, at most a few seconds from now.
  private func settled(
    _ dropped: () throws -> UInt64
  ) throws -> (arrived: UInt64, dropped: UInt64) {
    var last = try counts(dropped)
    var stillness = 0
    for _ in 0..<200 where stillness < 4 {
      Thread.sleep(forTimeInterval: 0.02)
      let next = try counts(dropped)
      stillness = next == last ? stillness + 1 : 0
      last = next
    }
    return last
  }

  func close() { generator.close() }
}

extension NetlinkSocket {
  /// Keeps an interface from speaking IPv6, and has the stack finish every frame it sends.
  mutating func quieten(_ name: String) throws(HostNetworkError) {
    try KernelSetting("net/ipv6/conf/\(name)/disable_ipv6").set("1")
    try Offloads().disableTransmitChecksum(name)
  }

  /// Sets an interface of this room up, quiet.
  mutating func raise(_ name: String) throws(HostNetworkError) -> InterfaceIndex {
    try quieten(name)
    let index = try index(of: name)
    try change(index, .up)
    return index
  }
}

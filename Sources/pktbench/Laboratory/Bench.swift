// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet

/// A host under test between two others, each in a room of its own.
///
///     near: near0 ── port0 :host: port1 ── far0 :far
///
/// `port0` is a container's, `port1` the wire or another container's. The generator is at the near
/// end and the sink at the far one, or the other way round for what comes from the wire. Transmit
/// offloads are off at all ends but `port0`, and interfaces do not speak by themselves, so that
/// every frame counted is one of the generator's.
final class Bench: Sendable {
  /// What is built between `port0` and `port1`, in messages.
  let name: String
  /// What the generator sends.
  let flows: Flows
  let host: Room
  /// The host's end of the container's veth.
  let nearPort: Link
  /// The host's end of the wire, or of the other container's veth.
  let farPort: Link
  private let near: Room
  private let far: Room
  private let sink: Sink
  private let generator: Generator

  /// The wire's MTU, which has room for the outer headers of a frame of 1500.
  static let wireMTU = 1600
  static let hostAddress = IPv4Address(bits: 0xC000_0201)
  static let remoteAddress = IPv4Address(bits: 0xC000_0202)
  static let wireMAC = MACAddress(bits: 0x02_00_00_00_02_01)
  static let remoteMAC = MACAddress(bits: 0x02_00_00_00_02_02)
  static let network = VirtualNetwork(bits: 42)

  /// Makes rooms, pairs, generator and sink.
  init(_ name: String, flows: Flows, generatorCore: Int) throws {
    let near = try Room("near")
    let host = try Room("host")
    let far = try Room("far")
    let isWire = flows.way != .bridge
    (nearPort, farPort) = try host.furnish { (netlink) throws(HostNetworkError) in
      let nearOptions = VethOptions(name: "port0", peerName: "near0")
      let nearPort = try netlink.createVethPair(nearOptions, peerIn: near.namespace)
      var farOptions = VethOptions(name: "port1", peerName: "far0")
      farOptions.mac = Bench.wireMAC
      farOptions.peerMAC = Bench.remoteMAC
      if isWire { farOptions.mtu = Bench.wireMTU }
      let farPort = try netlink.createVethPair(farOptions, peerIn: far.namespace)
      try netlink.silence(nearPort)
      if isWire { try netlink.quieten(farPort.name) } else { try netlink.silence(farPort) }
      for port in [nearPort, farPort] { try netlink.change(port.index, .up) }
      return (nearPort, farPort)
    }
    let ends = try [(near, "near0"), (far, "far0")].map { room, name in
      (room, name, try room.furnish { (n) throws(HostNetworkError) in try n.raise(name) })
    }
    let (first, last) = flows.way == .decap ? (ends[1], ends[0]) : (ends[0], ends[1])
    let lastIndex = last.2
    sink = try last.0.visit { try Sink(interface: lastIndex) }
    generator = try Generator(room: first.0, interface: first.1, flows: flows, core: generatorCore)
    self.name = name
    self.flows = flows
    self.near = near
    self.host = host
    self.far = far
  }

  /// Sends and says what became of it.
  ///
  /// Rates are of the time in which the generator ran; what was still under way at its end only
  /// counts for the books. `dropped` reads what the host under test counted as dropped so far,
  /// apart from its two ports; `atEnd` is called when the generator has stopped.
  func run(
    _ load: Load, dropped: () throws -> UInt64, atEnd: () throws -> Void = {}
  ) throws -> Sample {
    let before = try counts(dropped)
    let processor = ProcessorTimes.now()
    let sent = try generator.run(load)
    let arrived = Int(try sink.count() - before.arrived)
    let used = processor.flatMap { ProcessorTimes.now()?.since($0).busySeconds }
    try atEnd()
    let after = try settled(dropped)
    let known = Int(after.arrived - before.arrived) + Int(after.dropped - before.dropped)
    var sample = Sample(
      frames: arrived, seconds: sent.seconds, cpuSeconds: used, lost: sent.frames - known)
    sample.drops = after.drops(since: before)
    sample.offered = sent.frames
    sample.delivered = Int(after.arrived - before.arrived)
    return sample
  }

  /// Sends one frame of each flow and throws unless all arrive as they should, in packets that the
  /// reader opens if there is one.
  func prove(reading reader: ESPReader? = nil) throws {
    let (room, interface) = flows.way == .decap ? (near, "near0") : (far, "far0")
    let receiver = try room.visit { try Receiver(interface: interface) }
    defer { receiver.close() }
    try sink.redirect(to: receiver.socket)
    try expectEveryFlow(at: receiver, reader)
    try sink.redirect(to: nil)
  }

  private func expectEveryFlow(at receiver: Receiver, _ reader: ESPReader?) throws {
    try warmUp(receiver)
    var seen: Set<Int> = []
    for burst in 0..<(Flows.count / 64) {
      _ = try generator.run(Load(seconds: 5), limit: 64)
      for number in 0..<64 {
        guard let bytes = receiver.next(seconds: 5) else {
          throw ScenarioError(.unavailable, "\(name): frame \(burst * 64 + number) did not arrive")
        }
        let frame = reader.map { $0.frame(in: bytes) ?? [] }
        guard let flow = frame.map(flows.flow(ofInner:)) ?? flows.flow(of: bytes) else {
          throw ScenarioError(.failed, "\(name): what arrives is not what was sent: \(bytes)")
        }
        seen.insert(flow)
      }
    }
    guard seen.count == Flows.count else {
      throw ScenarioError(.failed, "\(name): only \(seen.count) of \(Flows.count) flows arrive")
    }
  }

  /// Sends until something arrives at the far end, which may take a moment after a port was opened,
  /// and waits until nothing is under way.
  func warmUp() throws {
    let before = try sink.count()
    for _ in 0..<100 {
      _ = try generator.run(Load(seconds: 5), limit: 16)
      Thread.sleep(forTimeInterval: 0.02)
      guard try sink.count() > before else { continue }
      _ = try settled { 0 }
      return
    }
    throw ScenarioError(.unavailable, "\(name): no frame arrives at the far end")
  }

  /// Sends until something arrives, as interfaces that were just set up drop for a moment, and then
  /// until nothing is under way.
  private func warmUp(_ receiver: Receiver) throws {
    for _ in 0..<100 {
      _ = try generator.run(Load(seconds: 5), limit: 16)
      guard receiver.next(seconds: 0.1) != nil else { continue }
      while receiver.next(seconds: 0.1) != nil {}
      return
    }
    throw ScenarioError(.unavailable, "\(name): no frame arrives at the far end")
  }

  private func counts(_ dropped: () throws -> UInt64) throws -> Counts {
    let (first, last, from, to) =
      flows.way == .decap ? (far, host, "far0", "port0") : (near, host, "near0", "port1")
    let atStart = try first.furnish { (netlink) throws(HostNetworkError) in
      try netlink.transmitDropped(from)
    }
    let atEnd = try last.furnish { (netlink) throws(HostNetworkError) in
      try netlink.transmitDropped(to)
    }
    return Counts(
      arrived: try sink.count(), atSender: atStart, atLastPort: atEnd, between: try dropped())
  }

  /// The counts once nothing has moved for a while, at most a few seconds from now.
  private func settled(_ dropped: () throws -> UInt64) throws -> Counts {
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

/// What became of frames so far.
private struct Counts: Equatable {
  var arrived: UInt64
  /// Dropped where the generator hands them over, at the host's other port, and in between.
  var atSender: UInt64
  var atLastPort: UInt64
  var between: UInt64

  var dropped: UInt64 { atSender + atLastPort + between }

  /// Where frames were dropped since an earlier look, in words.
  func drops(since earlier: Counts) -> String {
    "at the sender's veth \(atSender - earlier.atSender), "
      + "in the host \(between - earlier.between), "
      + "at its other veth \(atLastPort - earlier.atLastPort)"
  }
}

extension NetlinkSocket {
  /// Keeps an interface from speaking IPv6, and has the stack finish every frame it sends.
  mutating func quieten(_ name: String) throws(HostNetworkError) {
    try KernelSetting("net/ipv6/conf/\(name)/disable_ipv6").set("1")
    try Offloads().disableTransmitChecksum(name)
  }

  /// Sets an interface of this room up, quiet; it checksums and cuts what the stack sends only
  /// `withOffloads`.
  mutating func raise(
    _ name: String, withOffloads: Bool = false
  ) throws(HostNetworkError) -> InterfaceIndex {
    if withOffloads {
      try KernelSetting("net/ipv6/conf/\(name)/disable_ipv6").set("1")
    } else {
      try quieten(name)
    }
    let index = try index(of: name)
    try change(index, .up)
    return index
  }
}

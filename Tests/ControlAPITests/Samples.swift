// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Forwarding
import Inet

/// Reports in which every field has a value of its own, so that a swapped key shows.
enum Samples {
  static let address = IPv4Address(bits: 0xC000_0201)
  static let prefix = prefix("10.32.0.1/12")
  static let mac = MACAddress(bits: 0x0200_0000_000A)

  /// For literals in tests.
  static func prefix(_ text: String) -> IPv4Prefix {
    guard let prefix = IPv4Prefix(text) else { preconditionFailure("\(text) is no prefix") }
    return prefix
  }

  static let underlay = UnderlayReport(
    interface: "eth0", mode: .generic, reason: "the driver knows no XDP", zeroCopy: false,
    mtu: 1500, addresses: [prefix("192.0.2.1/24")], vxlanPort: 4789, state: .up)

  static let workers = [
    WorkerReport(
      index: 0, core: 1, idle: .adaptive, state: .sleeping, breaths: 123_456, idleBreaths: 1000,
      loadPercent: 12.5, framesFree: 16_000, framesTotal: 16_384,
      frames: FrameReport(
        received: 31, generated: 32, copied: 33, sent: 34, punted: 35, dropped: 36, merged: 37,
        held: 38, takenOver: 39, handedOver: 40)),
    WorkerReport(
      index: 1, core: 2, idle: .spin, state: .running, breaths: 7, idleBreaths: 0,
      loadPercent: 100, framesFree: 0, framesTotal: 16_384),
  ]

  static let ports = [
    PortReport(
      index: 0, interface: "eth0", kind: .underlay, mode: .generic,
      reason: "the driver knows no XDP", zeroCopy: false, queues: 2, receivedFrames: 1000,
      receivedBytes: 1536, sentFrames: 2000, sentBytes: 5 << 30,
      kernelDrops: KernelDropReport(
        rxDropped: 1, rxRingFull: 2, fillRingEmpty: 3, rxInvalid: 4, txInvalid: 5, missed: 6)),
    PortReport(
      index: 12, interface: "weft0", kind: .host, mode: .native, zeroCopy: true, queues: 1,
      receivedFrames: 3, receivedBytes: 180, sentFrames: 4, sentBytes: 240,
      faults: FaultReport(FaultSettings(seed: 7, loss: 100_000, duplication: 5000))),
  ]

  static let endpoints = [
    EndpointReport(
      address: address, vni: 42, port: 4789, state: .resolved, nextHopMAC: mac,
      outInterface: "eth0", sourceAddress: IPv4Address(bits: 0xC000_0202)),
    EndpointReport(
      address: IPv4Address(bits: 0xC633_6401), vni: 7, port: 8472, state: .unresolved,
      reason: "there is no route"),
  ]

  static let status = StatusReport(
    version: "0.1.0", hostName: "hosta", uptimeSeconds: 93_784,
    problems: ["eth0 has no carrier; look at its cable or at its other end"], underlay: underlay,
    overlayMTU: 1450, workers: workers, ports: ports, endpoints: endpoints,
    macs: MACCountReport(count: 3, limit: 65_536, learned: 5, moved: 1, aged: 2, refused: 4),
    budget: BudgetReport(
      frames: .init(
        perWorker: 16_384, fillRings: 768, batch: 64, left: 15_552),
      kernel: .init(
        queues: 4, bytes: 9 << 20, bytesPerQueue: 9 << 18, bytesPerPort: 5 << 20, limit: 5 << 29,
        portsLeft: 510),
      process: .init(
        chunks: 128 << 20, rings: 458_752, counters: 262_144, tables: 393_216,
        handOver: 4 << 20, snapshots: 256 << 20)),
    losses: LossReport(attachments: 21, addresses: 22, underlay: 23),
    frames: FrameReport(
      received: 100, generated: 10, copied: 1, sent: 90, punted: 11, dropped: 7, merged: 2,
      held: 1),
    drops: [
      DropReport(reason: "truncated", sentence: "the frame is shorter than its headers", frames: 7),
      DropReport(reason: "noRoute", sentence: "no route leads to the endpoint", frames: 0),
    ])

  static let attachments = [
    AttachmentReport(
      hostInterface: "vw1", interface: "ethwe", netns: "/run/netns/c1", mac: mac,
      addresses: [prefix], state: .attached),
    AttachmentReport(
      hostInterface: "vw2", interface: "eth1", netns: "pid 4242",
      mac: MACAddress(bits: 0x0200_0000_000B),
      addresses: [prefix("10.32.0.2/12"), prefix("192.168.7.2/24")], state: .down,
      detail: "eth1 is down in the container; set it up there"),
  ]

  static let macs = [
    MACReport(mac: mac, port: "vw1", ageSeconds: 61),
    MACReport(
      mac: MACAddress(bits: 0x0200_0000_000B), endpoint: address,
      network: VirtualNetwork(bits: 42), ageSeconds: 0),
  ]
}

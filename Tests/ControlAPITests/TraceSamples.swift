// SPDX-License-Identifier: Apache-2.0

@testable import ControlPlane

extension Samples {
  /// A frame that is sent, one that is dropped and one that is flooded.
  static let trace = TraceReport(frames: [sentFrame, droppedFrame, floodedFrame], lost: 0)

  private static let sentFrame = TraceReport.Frame(
    worker: 0, milliseconds: 12.003, port: "vethwe1a2b", kind: .container,
    netns: "/run/netns/c1", length: 98, bytes: "020000000002020000000001",
    steps: [
      .init(
        stage: "parse",
        text: "02:00:00:00:00:01 > 02:00:00:00:00:02  IPv4 10.32.0.1 > 10.32.0.2 ICMP"),
      .init(stage: "learn", text: "known at this port"),
      .init(stage: "look up", text: "station at endpoint 192.0.2.2, VNI 42"),
      .init(stage: "encapsulate", text: "VXLAN to 192.0.2.2:4789, 148 bytes"),
      .init(stage: "end", text: "eth0"),
    ], end: .sent, dropReason: nil)

  private static let droppedFrame = TraceReport.Frame(
    worker: 1, milliseconds: 100, port: "eth0", kind: .underlay, netns: nil, length: 110,
    bytes: "00",
    steps: [
      .init(stage: "open", text: "VXLAN from 192.0.2.9, VNI 7, 60 bytes inside"),
      .init(
        stage: "end",
        text: "no configured endpoint sends from this address and network identifier"
          + " (endpointUnknown)"),
    ], end: .dropped, dropReason: "endpointUnknown")

  private static let floodedFrame = TraceReport.Frame(
    worker: 0, milliseconds: 1500.5, port: "weft0", kind: .host, netns: nil, length: 42,
    bytes: "",
    steps: [
      .init(
        stage: "parse",
        text: "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff  ARP who has 10.32.0.2? asks 10.32.0.1"),
      .init(stage: "learn", text: "new, hint to the control plane"),
      .init(stage: "look up", text: "group address, to everybody"),
      .init(stage: "end", text: "3 receivers"),
    ], end: .flooded, dropReason: nil)
}

// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import Mesh
import Testing

@testable import ControlAPI

/// The JSON that programs of Weave's users read, against what a router of Weave Net said.
@Suite struct WeaveReportTests {
  /// The mesh of the sample.
  private static let mesh: MeshReport = {
    var mesh = MeshReport()
    let (one, other) = (Samples.name(10), Samples.name(11))
    mesh.peers = [
      PeerDescription(
        name: one, nickname: "hostA", uid: 12_351_628_755_988_451_843, version: 2,
        shortID: ShortID(2914),
        connections: [
          .init(peer: other, address: "10.99.0.2:42823", isOutbound: false, isEstablished: true)
        ]),
      PeerDescription(
        name: other, nickname: "hostB", uid: 2_413_327_552_252_049_957, version: 2,
        shortID: ShortID(3386),
        connections: [
          .init(peer: one, address: "10.99.0.1:6783", isOutbound: true, isEstablished: true)
        ]),
    ]
    mesh.unicastRoutes = [(one, .unknown), (other, other)]
    mesh.broadcastRoutes = [(one, [other])]
    var connection = MeshReport.Connection(
      address: "10.99.0.2:42823", isOutbound: false, state: .established)
    connection.peer = other
    connection.overlay = "sleeve"
    connection.attributes = ["mtu": "1438", "name": "sleeve"]
    mesh.connections = [connection]
    return mesh
  }()

  private static let report = RouterReport(
    mesh, status: Samples.status,
    macs: [
      MACReport(mac: Samples.mac, port: "vw1", ageSeconds: 61),
      MACReport(mac: Samples.mac, peer: Samples.name(11), ageSeconds: 0),
    ], now: Samples.now)

  @Test func theSameMeshHasTheSameReportToTheByte() {
    // What follows is about the data plane, and ours is another.
    let end = "    \"Interface\": "
    let expected = Samples.weaveRouter.replacing(
      "\"ProtocolMinVersion\": 1", with: "\"ProtocolMinVersion\": 2")
    #expect(Self.report.json.written.prefix(upTo: end) == expected.prefix(upTo: end))
    #expect(
      Self.report.json.written.suffix(from: end) == """
            "Interface": "eth0 (via AF_XDP)",
            "CaptureStats": {
                "PacketsDropped": 7,
                "PacketsIfDropped": 21,
                "PacketsReceived": 100
            },
            "MACs": [
                {
                    "Mac": "02:00:00:00:00:0a",
                    "Name": "02:00:00:00:00:0a",
                    "NickName": "hostA",
                    "LastSeen": "2015-08-19T15:58:59Z"
                },
                {
                    "Mac": "02:00:00:00:00:0a",
                    "Name": "02:00:00:00:00:0b",
                    "NickName": "hostB",
                    "LastSeen": "2015-08-19T16:00:00Z"
                }
            ]
        }
        """)
  }

  @Test func everyFieldOfTheSampleIsThereWithItsType() throws {
    let ours = try JSONSerialization.jsonObject(with: Data(Self.report.json.written.utf8))
    let theirs = try JSONSerialization.jsonObject(with: Data(Samples.weaveRouter.utf8))
    #expect(shape(ours) == shape(theirs))
  }

  @Test func theReportAroundItHasWeavesFields() throws {
    let text = Self.report.weaveReport.written
    #expect(
      text.hasPrefix(
        """
        {
            "Ready": true,
            "Version": "0.1.0",
            "VersionCheck": {
                "Enabled": false,
                "Success": false,
                "NewVersion": "",
                "NextCheckAt": "0001-01-01T00:00:00Z"
            },
            "Router": {
                "Protocol": "weave",
        """))
    _ = try JSONSerialization.jsonObject(with: Data(text.utf8))
  }

  @Test func emptyListsAreWhatWeaveMakesOfThem() {
    let text = RouterReport(
      MeshReport(), status: Samples.status, macs: [], now: Samples.now
    ).json.written
    for fragment in [
      "\"Peers\": null", "\"UnicastRoutes\": null", "\"BroadcastRoutes\": null",
      "\"Connections\": null", "\"Targets\": null", "\"TrustedSubnets\": []", "\"MACs\": null",
      "\"Name\": \"00:00:00:00:00:00\"",
    ] {
      #expect(text.contains(fragment), "\(fragment) is missing")
    }
    let filled = RouterReport(Samples.mesh, status: Samples.status, macs: [], now: Samples.now)
    #expect(filled.json.written.contains("\"Via\": null"))
    #expect(filled.json.written.contains("\"Attrs\": null"))
    #expect(filled.json.written.contains("\"encrypted\": true"))
    #expect(filled.json.written.contains("\"Targets\": [\n"))
  }

  @Test func textOfAnyKindIsReadBackAsItWas() throws {
    var mesh = Samples.mesh
    let hostile = "\"\\\u{0}\u{1}\u{8}\n\r\t\u{1F}\u{7F}</script>&\u{2028}\u{2029}\u{FFFF}é🧵"
    mesh.peers[0].nickname = hostile
    mesh.targets = [hostile]
    let text = RouterReport(
      mesh, status: Samples.status, macs: [], now: Samples.now
    ).json.written
    #expect(!text.contains("<") && !text.contains("&") && !text.contains("\u{2028}"))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(object?["NickName"] as? String == hostile)
    #expect(object?["Targets"] as? [String] == [hostile])
  }

  /// Fields and types, of a list only those of its first element.
  private func shape(_ value: Any) -> String {
    switch value {
    case let object as [String: Any]:
      let members = object.sorted { $0.key < $1.key }.map { "\($0.key):\(shape($0.value))" }
      return "{\(members.joined(separator: ","))}"
    case let list as [Any]: return "[\(list.first.map(shape) ?? "")]"
    case is String: return "text"
    case is NSNull: return "null"
    default: return "\(value)" == "true" || "\(value)" == "false" ? "flag" : "number"
    }
  }
}

extension String {
  fileprivate func prefix(upTo mark: String) -> Substring {
    self[..<(firstRange(of: mark)?.lowerBound ?? startIndex)]
  }

  fileprivate func suffix(from mark: String) -> Substring {
    self[(firstRange(of: mark)?.lowerBound ?? endIndex)...]
  }
}

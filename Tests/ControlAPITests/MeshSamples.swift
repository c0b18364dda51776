// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import Mesh
import Sealing

/// A mesh of four: we know b well, dial c in vain, reach d through b, and e not at all.
extension Samples {
  static let now = Date(timeIntervalSince1970: 1_440_000_000)

  static func name(_ last: UInt64) -> PeerName { PeerName(bits: 0x0200_0000_0000 | last) }

  static let meshPeers: [PeerDescription] = [
    PeerDescription(
      name: name(10), nickname: "hosta", uid: 12_351_628_755_988_451_843, version: 2,
      shortID: ShortID(2914),
      connections: [
        .init(
          peer: name(11), address: "10.97.0.2:50155", isOutbound: false, isEstablished: true)
      ]),
    PeerDescription(
      name: name(11), nickname: "hostb", uid: 2, version: 3, shortID: ShortID(1),
      connections: [
        .init(peer: name(10), address: "10.97.0.1:6783", isOutbound: true, isEstablished: true),
        .init(peer: name(13), address: "10.97.0.4:6783", isOutbound: true, isEstablished: false),
      ]),
    PeerDescription(
      name: name(13), nickname: "hostd", uid: 4, version: 1, shortID: nil, connections: []),
    PeerDescription(
      name: name(14), nickname: "", uid: 5, version: 1, shortID: nil, connections: []),
  ]

  static let meshConnections: [MeshReport.Connection] = {
    var established = MeshReport.Connection(
      address: "10.97.0.2:50155", isOutbound: false, state: .established)
    established.isEncrypted = true
    established.peer = name(11)
    established.nickname = "hostb"
    established.overlay = "sleeve"
    established.attributes = ["name": "sleeve", "mtu": "1414", "encrypted": "true"]
    let connecting = MeshReport.Connection(
      address: "10.97.0.77:6783", isOutbound: true, state: .connecting)
    var failed = MeshReport.Connection(
      address: "10.97.0.78:6783", isOutbound: true, state: .failed)
    failed.problem = "connection refused"
    failed.retryAfter = .seconds(12)
    return [established, connecting, failed]
  }()

  /// How frames from and to b are encrypted.
  static let security: [PeerName: SecurityReport] = {
    var counts = KeyCounts()
    counts.sealed = 70
    counts.opened = 80
    counts.notAuthentic = 9
    counts.replayed = 11
    let report = SecurityReport(
      suite: .aes256gcm, layout: .sleeve, keyAgeSeconds: 723, counts: counts)
    return [name(11): report]
  }()

  static let mesh: MeshReport = {
    var mesh = MeshReport()
    mesh.peers = meshPeers
    mesh.unicastRoutes = [(name(10), .unknown), (name(11), name(11)), (name(13), name(11))]
    mesh.broadcastRoutes = [(name(10), [name(11)]), (name(11), [])]
    mesh.connections = meshConnections
    mesh.targets = ["192.0.2.2", "host-c:6784"]
    mesh.counts.terminations = 7
    mesh.counts.refusals = ["another password": 3]
    mesh.isEncrypted = true
    mesh.trustedSubnets = [prefix("10.0.0.0/8"), prefix("192.0.2.0/24")]
    return mesh
  }()

  /// What a router of Weave Net 2.8 said of a mesh of two, without what only it has.
  static let weaveRouter = """
    {
        "Protocol": "weave",
        "ProtocolMinVersion": 1,
        "ProtocolMaxVersion": 2,
        "Encryption": false,
        "PeerDiscovery": true,
        "Name": "02:00:00:00:00:0a",
        "NickName": "hostA",
        "Port": 6783,
        "Peers": [
            {
                "Name": "02:00:00:00:00:0a",
                "NickName": "hostA",
                "UID": 12351628755988451843,
                "ShortID": 2914,
                "Version": 2,
                "Connections": [
                    {
                        "Name": "02:00:00:00:00:0b",
                        "NickName": "hostB",
                        "Address": "10.99.0.2:42823",
                        "Outbound": false,
                        "Established": true
                    }
                ]
            },
            {
                "Name": "02:00:00:00:00:0b",
                "NickName": "hostB",
                "UID": 2413327552252049957,
                "ShortID": 3386,
                "Version": 2,
                "Connections": [
                    {
                        "Name": "02:00:00:00:00:0a",
                        "NickName": "hostA",
                        "Address": "10.99.0.1:6783",
                        "Outbound": true,
                        "Established": true
                    }
                ]
            }
        ],
        "UnicastRoutes": [
            {
                "Dest": "02:00:00:00:00:0a",
                "Via": "00:00:00:00:00:00"
            },
            {
                "Dest": "02:00:00:00:00:0b",
                "Via": "02:00:00:00:00:0b"
            }
        ],
        "BroadcastRoutes": [
            {
                "Source": "02:00:00:00:00:0a",
                "Via": [
                    "02:00:00:00:00:0b"
                ]
            }
        ],
        "Connections": [
            {
                "Address": "10.99.0.2:42823",
                "Outbound": false,
                "State": "established",
                "Info": "sleeve 02:00:00:00:00:0b(hostB)",
                "Attrs": {
                    "mtu": 1438,
                    "name": "sleeve"
                }
            }
        ],
        "TerminationCount": 0,
        "Targets": null,
        "OverlayDiagnostics": {
            "fastdp": null,
            "sleeve": null
        },
        "TrustedSubnets": [],
        "Interface": "vethwe-pcap (via pcap)",
        "CaptureStats": {
            "PacketsDropped": 0,
            "PacketsIfDropped": 0,
            "PacketsReceived": 87
        },
        "MACs": [
            {
                "Mac": "86:f8:48:0a:19:23",
                "Name": "02:00:00:00:00:0a",
                "NickName": "hostA",
                "LastSeen": "2026-11-21T02:00:50.176658023Z"
            },
            {
                "Mac": "86:f7:dc:b6:18:e4",
                "Name": "02:00:00:00:00:0b",
                "NickName": "hostB",
                "LastSeen": "2026-11-21T02:00:51.379548771Z"
            }
        ]
    }
    """
}

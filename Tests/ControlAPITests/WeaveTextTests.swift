// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import Mesh
import Testing

@testable import ControlAPI

/// The forms that scripts of Weave's users read.
@Suite struct WeaveTextTests {
  private func report(_ mesh: MeshReport = Samples.mesh) -> RouterReport {
    RouterReport(mesh, status: Samples.status, macs: [], now: Samples.now)
  }

  @Test func statusLooksLikeThis() {
    let golden = """
              Version: 0.1.0 (version check update disabled)

              Service: router
             Protocol: weave 2
                 Name: 02:00:00:00:00:0a(hosta)
           Encryption: enabled
        PeerDiscovery: enabled
              Targets: 2
          Connections: 3 (1 established, 1 failed, 1 connecting)
                Peers: 4 (with 2 established, 1 pending connections)
       TrustedSubnets: 10.0.0.0/8, 192.0.2.0/24

      """
    #expect(WeaveText.status(report(), version: "0.1.0") == golden)
  }

  @Test func aLonePeerHasNothingToCount() {
    var mesh = MeshReport()
    mesh.peers = [Samples.meshPeers[3]]
    mesh.hasDiscovery = false
    let text = WeaveText.status(report(mesh), version: "v")
    let end = """
           Encryption: disabled
        PeerDiscovery: disabled
              Targets: 0
          Connections: 0
                Peers: 1
       TrustedSubnets: none

      """
    #expect(text.hasSuffix(end))
    #expect(WeaveText.connections(report(mesh)) == "")
    #expect(WeaveText.targets([]) == "")
  }

  @Test func connectionsLookLikeThisToTheByte() {
    var mesh = Samples.mesh
    mesh.connections.removeLast()
    #expect(
      WeaveText.connections(report(mesh))
        == "<- 10.97.0.2:50155       established encrypted   sleeve 02:00:00:00:00:0b(hostb) "
        + "encrypted=truemtu=1414\n-> 10.97.0.77:6783       connecting   \n")
  }

  @Test func whatStandsBehindAStateIsLikeThis() {
    var mesh = Samples.mesh
    var connection = MeshReport.Connection(address: "a:1", isOutbound: true, state: .failed)
    func info() -> String { report(mesh).info(of: connection) }
    connection.problem = "no route to host"
    #expect(info() == "no route to host, retry: never")
    connection.retryAfter = .seconds(90)
    #expect(info() == "no route to host, retry: 2015-08-19 16:01:30 +0000 UTC")
    connection.state = .waiting
    #expect(info() == "until: 2015-08-19 16:01:30 +0000 UTC")
    connection.state = .retrying
    #expect(info() == "no route to host")
    connection.state = .suspended
    #expect(info() == "")
    connection.state = .pending
    #expect(info() == "")
    connection.peer = Samples.name(12)
    connection.nickname = "hostc"
    #expect(info() == "unencrypted none   02:00:00:00:00:0c(hostc)")
    connection.isEncrypted = true
    #expect(info() == "encrypted   none   02:00:00:00:00:0c(hostc)")
    connection.attributes = ["name": "fastdp"]
    connection.overlay = "fastdp"
    #expect(info() == "unencrypted fastdp 02:00:00:00:00:0c(hostc)")
    mesh.isEncrypted = false
    #expect(info() == "fastdp 02:00:00:00:00:0c(hostc)")
  }

  @Test func peersLookLikeThisToTheByte() {
    #expect(
      WeaveText.peers(Array(MeshPeerReport.all(in: Samples.mesh).prefix(2)))
        == "02:00:00:00:00:0a(hosta)\n"
        + "   <- 10.97.0.2:50155       02:00:00:00:00:0b(hostb)              established\n"
        + "02:00:00:00:00:0b(hostb)\n"
        + "   -> 10.97.0.1:6783        02:00:00:00:00:0a(hosta)              established\n"
        + "   -> 10.97.0.4:6783        02:00:00:00:00:0d(hostd)              pending\n")
  }

  @Test func whatPeersSayCannotSteerTheTerminal() {
    var mesh = Samples.mesh
    mesh.peers[1].nickname = "\u{1B}[2J\n"
    mesh.connections[0].address = "\u{9B}31m"
    mesh.connections[2].problem = "\r\u{7}"
    mesh.targets = ["\u{1B}c", "\u{202E}\u{2028}"]
    for text in [
      WeaveText.status(report(mesh), version: "v"), WeaveText.connections(report(mesh)),
      WeaveText.peers(MeshPeerReport.all(in: mesh)), WeaveText.targets(mesh.targets),
      TextReport.text(ConnectionReport.all(in: mesh)),
    ] {
      #expect(
        text.unicodeScalars.allSatisfy {
          $0 == "\n"
            || ![.control, .format, .lineSeparator].contains($0.properties.generalCategory)
        })
    }
    #expect(WeaveText.peers(MeshPeerReport.all(in: mesh)).contains("02:00:00:00:00:0b(?[2J?)\n"))
  }

  @Test func howPeersAreReachedLooksLikeThis() {
    let golden = """
          ADDRESS          STATE        OVERLAY  ENCRYPTED  KEY AGE   MTU  \
      PEER                      REMARK
      <-  10.97.0.2:50155  established  sleeve   aes256gcm   12m 3s  1414  \
      02:00:00:00:00:0b(hostb)
                                                                           \
                                refused 9 not authentic, 11 replayed
      ->  10.97.0.77:6783  connecting   -        -                -     -  -
      ->  10.97.0.78:6783  failed       -        -                -     -  \
      -                         connection refused; retry in 12s
          -                relayed      -        -                -     -  \
      02:00:00:00:00:0d(hostd)  via 02:00:00:00:00:0b(hostb)
          -                unreachable  -        -                -     -  \
      02:00:00:00:00:0e()

      """
    let reports = ConnectionReport.all(in: Samples.mesh, security: Samples.security)
    #expect(TextReport.text(reports) == golden)
  }

  @Test func whatIsNotKnownOfEncryptionIsLeftOut() {
    var reports = ConnectionReport.all(in: Samples.mesh, security: Samples.security)
    reports[0].security?.refused = .init()
    let text = TextReport.text(reports)
    #expect(text.contains("aes256gcm   12m 3s") && !text.contains("refused 0"))
    #expect(
      TextReport.text(ConnectionReport.all(in: Samples.mesh)).contains("  yes              -"))
  }

  @Test func aPendingConnectionSaysWhereFramesGoMeanwhile() {
    var mesh = Samples.mesh
    var pending = MeshReport.Connection(
      address: "10.97.0.4:6783", isOutbound: true, state: .pending)
    pending.peer = Samples.name(13)
    mesh.connections.append(pending)
    let reports = ConnectionReport.all(in: mesh)
    #expect(
      reports.map(\.peer?.name) == [Samples.name(11), nil, nil, Samples.name(13), Samples.name(14)])
    #expect(reports[3].state == .pending && reports[3].via?.nickname == "hostb")
    #expect(reports[3].peer?.nickname == "hostd")
  }

  @Test func theStatusNamesTheMesh() {
    var status = Samples.status
    status.mesh = MeshSummaryReport(Samples.mesh)
    let text = TextReport.text(status)
    #expect(
      text.contains(
        """
             Mesh: 02:00:00:00:00:0a(hosta), TCP and UDP port 6783, encrypted
            Peers: 4, connections: 1 connecting, 1 established, 1 failed

        """), "\(text)")
    status.mesh?.connections = [:]
    #expect(TextReport.text(status).contains("Peers: 4, connections: none\n"))
  }
}

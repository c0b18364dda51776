// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import Testing

@testable import ControlAPI

@Suite struct TextReportTests {
  @Test func statusLooksLikeThis() {
    let golden = """
        Version: 0.1.0
           Host: hosta
         Uptime: 1d 2h 3m 4s
        Problem: eth0 has no carrier; look at its cable or at its other end

       Underlay: eth0, up
           Mode: generic, copy (the driver knows no XDP)
            MTU: 1500 B, overlay 1450 B
      Addresses: 192.0.2.1/24
          VXLAN: UDP port 4789

         Frames: 100 received, 10 generated, 1 copied
                 90 sent, 11 punted, 7 dropped, 2 merged, 1 held
       Balanced: yes
           MACs: 3 of 65536, 5 learned, 1 moved, 2 aged, 4 refused
           Lost: 21 attachments, 22 addresses, underlay 23 times
         Budget: about 9.0 MiB of kernel memory for 4 queues, 2.2 MiB each; \
      510 more ports fit in 2.5 GiB
                 16384 chunks a worker: 768 on fill rings at rest, 64 in a batch, \
      15552 for bursts and what is sent

      Workers
        INDEX  CORE  IDLE      STATE        LOAD  BREATHS  IDLE BREATHS     FREE FRAMES
            0     1  adaptive  sleeping   12.5 %   123456          1000  16000 of 16384
            1     2  spin      running   100.0 %        7             0      0 of 16384

      Ports
        INDEX  INTERFACE  KIND      QUEUES  RECEIVED    BYTES  SENT    BYTES  KERNEL DROPS  MODE
            0  eth0       underlay       2      1000  1.5 KiB  2000  5.0 GiB            21  \
      generic, copy (the driver knows no XDP)
           12  weft0      host           1         3    180 B     4    240 B             0  \
      native, zero-copy
                                                                                            \
      FAULTS ON PURPOSE: loss 10 %, duplication 0.5 %, seed 7

      Endpoints
        ADDRESS       VNI  PORT  STATE       NEXT HOP           INTERFACE  SOURCE     REASON
        192.0.2.1      42  4789  resolved    02:00:00:00:00:0a  eth0       192.0.2.2
        198.51.100.1    7  8472  unresolved  -                  -          \
      -          there is no route

      Drops
        FRAMES  REASON     MEANING
             7  truncated  the frame is shorter than its headers

      """
    #expect(TextReport.text(Samples.status) == golden)
  }

  @Test func aDaemonWithoutAnythingShowsOnlyTheOverview() {
    var status = Samples.status
    status.workers = []
    status.ports = []
    status.endpoints = []
    status.drops = status.drops.filter { $0.frames == 0 }
    status.underlay.addresses = []
    let text = TextReport.text(status)
    for title in ["Workers", "Ports", "Endpoints", "Drops"] { #expect(!text.contains(title)) }
    #expect(text.contains("Addresses: none\n"))
    #expect(text.hasSuffix("15552 for bursts and what is sent\n"))
  }

  @Test func socketsAreShownWithTheReasonForThem() throws {
    var status = Samples.status
    status.underlay = UnderlayReport(
      interface: "br0", method: .socket, methodReason: "br0 is a bridge", mode: nil, mtu: 9000,
      addresses: [Samples.prefix("192.0.2.1/24")], vxlanPort: 4789, state: .up)
    let text = TextReport.text(status)
    for line in [
      "Underlay: br0, up\n", "Mode: sockets (br0 is a bridge)\n", "MTU: 9000 B, overlay 1450 B\n",
      "Addresses: 192.0.2.1/24\n", "VXLAN: UDP port 4789\n",
    ] {
      #expect(text.contains(line), "\(text)")
    }
    let json = String(decoding: try JSONEncoder().encode(status.underlay), as: UTF8.self)
    #expect(json.contains("\"method\":\"socket\""), "\(json)")
    #expect(json.contains("\"method_reason\":\"br0 is a bridge\""), "\(json)")
    #expect(!json.contains("\"mode\""), "\(json)")
  }

  @Test func withoutAnInterfaceNothingIsSaidOfOne() {
    var status = Samples.status
    status.underlay = UnderlayReport(
      interface: nil, method: .socket, methodReason: "no interface is configured", mode: nil,
      mtu: 0, addresses: [], vxlanPort: 4789, state: .up)
    let text = TextReport.text(status)
    for line in [
      "Underlay: any interface\n", "Mode: sockets (no interface is configured)\n",
      "MTU: overlay 1450 B\n",
    ] {
      #expect(text.contains(line), "\(text)")
    }
    #expect(!text.contains("Addresses:"))
  }

  @Test func containersAreListedLikeThis() {
    let golden = """
      c1       02:00:00:00:00:0a 10.32.0.1/12
      pid 4242 02:00:00:00:00:0b 10.32.0.2/12 192.168.7.2/24 down: \
      eth1 is down in the container; set it up there

      """
    #expect(TextReport.text(Samples.attachments) == golden)
    #expect(TextReport.text([AttachmentReport]()) == "")
  }

  @Test(arguments: [
    ("/run/netns/c1", "c1"), ("/var/run/netns/c1", "c1"), ("/run/netns/a/b", "/run/netns/a/b"),
    ("/run/netns/", "/run/netns/"), ("/proc/1/ns/net", "/proc/1/ns/net"), ("pid 1", "pid 1"),
  ])
  func namespacesAreShownByName(netns: String, shown: String) {
    var attachment = Samples.attachments[0]
    attachment.netns = netns
    #expect(TextReport.text([attachment]) == "\(shown) 02:00:00:00:00:0a 10.32.0.1/12\n")
  }

  @Test func learnedAddressesAreListedLikeThis() {
    let golden = """
      MAC                LOCATION                 AGE
      02:00:00:00:00:0a  port vw1               1m 1s
      02:00:00:00:00:0b  vtep 192.0.2.1 vni 42     0s

      """
    #expect(TextReport.text(Samples.macs) == golden)
  }

  @Test func detachedAddressesAreOnOneLine() {
    #expect(TextReport.addresses(Samples.attachments) == "10.32.0.1 10.32.0.2 192.168.7.2\n")
    #expect(TextReport.addresses([]) == "")
  }

  @Test func namesCannotSteerTheTerminal() {
    var attachment = Samples.attachments[0]
    attachment.netns = "/tmp/\u{1B}[2Jx\n\u{9B}31m"
    let text = TextReport.text([attachment])
    #expect(text == "/tmp/?[2Jx??31m 02:00:00:00:00:0a 10.32.0.1/12\n")
  }

  @Test(
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (2047, "1.9 KiB"),
      (1 << 20, "1.0 MiB"), (5 << 30, "5.0 GiB"), (1 << 40, "1.0 TiB"), (1 << 50, "1.0 PiB"),
      (.max, "15.9 EiB"),
    ] as [(UInt64, String)])
  func bytesHaveBinaryUnits(count: UInt64, shown: String) {
    #expect(TextReport.bytes(count) == shown)
  }

  @Test(
    arguments: [
      (0, "0s"), (59, "59s"), (60, "1m 0s"), (3600, "1h 0m 0s"), (93_784, "1d 2h 3m 4s"),
      (.max, "213503982334601d 7h 0m 15s"),
    ] as [(UInt64, String)])
  func durationsBeginWithTheirLargestUnit(seconds: UInt64, shown: String) {
    #expect(TextReport.duration(seconds) == shown)
  }
}

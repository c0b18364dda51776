// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import TestSupport
import Testing

@testable import HostNetwork

@Suite struct UDPReceiverTests {
  private static let listing = """
       sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout
     1470: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0
     5470: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0
     5471: 010200C0:12B6 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0
     5472: 010200C0:12B7 020200C0:0035 01 00000000:00000000 00:00000000 00000000     0        0

    """

  @Test func listingIsReadWithoutItsConnectedSockets() {
    let found = UDPReceiver.receivers(in: Self.listing)
    #expect(
      found.map { "\($0.address):\($0.port)" } == [
        "127.0.0.1:53", "0.0.0.0:4789", "192.0.2.1:4790",
      ]
    )
  }

  @Test(arguments: [
    "", " ", "1: 2 3", "1: 0100007F:0035", "1: 0100007F:0035 00000000", "1: +100007F:0035 0:0",
    "1: 100007F:0035 00000000:0000", "1: 0100007F:+035 00000000:0000",
    "1: 0100007F:00353 00000000:0000", "1: 0100007G:0035 00000000:0000",
    "1: 0100007F:0035:1 00000000:0000", "1: 0100007F:\u{661}\u{661} 00000000:0000",
    "1: 00000000000000000000000000000000:12B7 00000000000000000000000000000000:0000 07",
  ])
  func linesOfAnotherFormAreNotMinded(_ line: String) {
    #expect(UDPReceiver.receivers(in: line + "\n") == [])
  }

  @Test func listingsCutShortAreReadAsFarAsTheyGo() {
    for length in 0...Self.listing.utf8.count {
      let text = String(decoding: Self.listing.utf8.prefix(length), as: UTF8.self)
      #expect(UDPReceiver.receivers(in: text).count <= 3)
    }
  }

  @Test(arguments: fixedSeeds)
  func damagedListingsDoNoHarm(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      var bytes = Array(Self.listing.utf8)
      for _ in 0..<Int.random(in: 0..<12, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      let found = UDPReceiver.receivers(in: String(decoding: bytes, as: UTF8.self))
      #expect(found.count <= 16, "\(generator)")
    }
  }
}

extension KernelTests {
  @Suite struct UDPReceiverKernelTests {
    @Test func kernelsOwnVXLANDeviceIsListedWhileItIsUp() throws {
      try withHosts { host, _ in
        let vxlan = UDPReceiver(address: IPv4Address(bits: 0), port: 4789)
        let before = try host.run { () throws(HostNetworkError) in try UDPReceiver.all() }
        #expect(before == [])
        try host.ip("link add vxlan0 type vxlan id 42 dstport 4789 remote 10.77.0.2 dev h0")
        try host.ip("link set vxlan0 up")
        let during = try host.run { () throws(HostNetworkError) in try UDPReceiver.all() }
        #expect(during == [vxlan])
        try host.ip("link set vxlan0 down")
        let after = try host.run { () throws(HostNetworkError) in try UDPReceiver.all() }
        #expect(after == [])
      }
    }

    @Test func machineHasItsAddressesByInterface() throws {
      try withHosts { host, _ in
        let machine = try host.run { () throws(HostNetworkError) in try Machine() }
        #expect(machine.addresses["h0"]?.map(\.description) == ["10.77.0.1"])
        #expect(machine.addresses["lo"]?.map(\.description) == ["127.0.0.1"])
        #expect(machine.addresses.count == 2)
      }
    }
  }
}

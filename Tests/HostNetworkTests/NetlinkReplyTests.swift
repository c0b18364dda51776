// SPDX-License-Identifier: Apache-2.0

import CLinux
import HostNetwork
import Inet
import Testing

/// Messages the kernel could send, made with the builder.
private enum Sample: CaseIterable {
  case link, address, route, neighbour, acknowledgement

  var bytes: [UInt8] {
    var message =
      switch self {
      case .link: linkMessage
      case .address: addressMessage
      case .route: routeMessage
      case .neighbour: neighbourMessage
      case .acknowledgement: acknowledgement
      }
    return Array(message.bytes)
  }

  private var linkMessage: NetlinkMessage {
    var header = ifinfomsg()
    header.ifi_index = 7
    header.ifi_type = 1
    header.ifi_flags = 0x1_0081
    var message = NetlinkMessage(type: RTM_NEWLINK, header: header)
    message.append(IFLA_IFNAME, name: "weft0")
    message.append(IFLA_IFALIAS, name: "weft1 host")
    message.append(IFLA_ADDRESS, MACAddress(bits: 0x0200_0000_000A))
    message.append(IFLA_MTU, UInt32(1376))
    message.append(IFLA_NUM_TX_QUEUES, UInt32(2))
    message.append(IFLA_NUM_RX_QUEUES, UInt32(3))
    message.append(IFLA_LINK, UInt32(8))
    message.append(IFLA_LINK_NETNSID, UInt32(0))
    message.nest(IFLA_LINKINFO) { $0.append(IFLA_INFO_KIND, name: "veth") }
    message.nest(IFLA_XDP) { program in
      program.append(IFLA_XDP_ATTACHED, UInt8(XDP_ATTACHED_DRV))
      program.append(IFLA_XDP_PROG_ID, UInt32(99))
    }
    return message
  }

  private var addressMessage: NetlinkMessage {
    var header = ifaddrmsg()
    header.ifa_family = 2
    header.ifa_prefixlen = 12
    header.ifa_index = 7
    var message = NetlinkMessage(type: RTM_NEWADDR, header: header)
    message.append(IFA_LOCAL, IPv4Address(bits: 0x0A20_0001))
    message.append(IFA_BROADCAST, IPv4Address(bits: 0x0A2F_FFFF))
    return message
  }

  private var routeMessage: NetlinkMessage {
    var header = rtmsg()
    header.rtm_family = 2
    header.rtm_dst_len = 16
    header.rtm_type = 1
    var message = NetlinkMessage(type: RTM_NEWROUTE, header: header)
    message.append(Int(RTA_DST.rawValue), IPv4Address(bits: 0x0A63_0000))
    message.append(Int(RTA_GATEWAY.rawValue), IPv4Address(bits: 0x0A4D_0002))
    message.append(Int(RTA_OIF.rawValue), UInt32(7))
    message.nest(Int(RTA_METRICS.rawValue)) { $0.append(RTAX_MTU, UInt32(1400)) }
    return message
  }

  private var neighbourMessage: NetlinkMessage {
    var header = ndmsg()
    header.ndm_family = 2
    header.ndm_ifindex = 7
    header.ndm_state = UInt16(NUD_REACHABLE)
    var message = NetlinkMessage(type: RTM_NEWNEIGH, header: header)
    message.append(NDA_DST, IPv4Address(bits: 0x0A4D_0002))
    message.append(NDA_LLADDR, MACAddress(bits: 0x0200_0000_000B))
    message.append(NDA_FLAGS_EXT, UInt32(NTF_EXT_MANAGED))
    return message
  }

  private var acknowledgement: NetlinkMessage {
    var header = nlmsgerr()
    header.error = -17
    var message = NetlinkMessage(
      type: Int(NLMSG_ERROR), flags: NLM_F_ACK_TLVS | NLM_F_CAPPED, header: header)
    message.append(Int(NLMSGERR_ATTR_MSG.rawValue), name: "Name taken")
    return message
  }
}

@Suite struct NetlinkReplyTests {
  private func reply(_ sample: Sample) throws -> NetlinkReply {
    try #require(try NetlinkReply.parse(sample.bytes, call: "test").first)
  }

  @Test func linkMessageGivesEveryField() throws {
    let link = try #require(try Link(reply(.link)))
    #expect(link.index == InterfaceIndex(rawValue: 7))
    #expect(link.name == "weft0")
    #expect(link.alias == "weft1 host")
    #expect(link.mac == MACAddress(bits: 0x0200_0000_000A))
    #expect(link.mtu == 1376)
    #expect(link.isUp && link.hasCarrier && link.isARPOff && link.isEthernet && !link.isLoopback)
    #expect(link.transmitQueueCount == 2 && link.receiveQueueCount == 3)
    #expect(link.peerIndex == InterfaceIndex(rawValue: 8) && link.peerNamespace == 0)
    #expect(link.kind == "veth")
    #expect(link.program?.mode == .native && link.program?.identifier == 99)
  }

  @Test func eventsOfAllTablesAreRead() throws {
    guard case .addressChanged(let found, .present) = try NetworkEvent(reply(.address)) else {
      Issue.record("not an address")
      return
    }
    #expect(try found.prefix == prefix("10.32.0.1/12"))
    #expect(try found.broadcast == address("10.47.255.255"))
    guard case .routeChanged(let route, .present) = try NetworkEvent(reply(.route)) else {
      Issue.record("not a route")
      return
    }
    #expect(try route.destination == prefix("10.99.0.0/16"))
    #expect(try route.gateway == address("10.77.0.2"))
    #expect(route.mtu == 1400 && route.kind == .unicast)
    guard case .neighbourChanged(let neighbour, .present) = try NetworkEvent(reply(.neighbour))
    else {
      Issue.record("not a neighbour")
      return
    }
    #expect(neighbour.isManaged && neighbour.state == .reachable)
    #expect(try neighbour.usableMAC == mac("02:00:00:00:00:0b"))
  }

  @Test func refusalCarriesTheKernelsSentence() throws {
    let expected = SystemError(
      call: "RTM_NEWLINK", errno: 17, subject: "weft0", detail: "Name taken")
    #expect(throws: HostNetworkError.system(expected)) {
      _ = try NetlinkAnswer(reply(.acknowledgement), call: "RTM_NEWLINK", subject: "weft0")
    }
    #expect(expected.description.contains("File exists (Name taken)"))
  }

  @Test func messageOfAnotherFamilyIsSkipped() throws {
    var bytes = Sample.link.bytes
    bytes[16] = 7  // A bridge's report about its port.
    let reply = try #require(try NetlinkReply.parse(bytes, call: "test").first)
    #expect(try Link(reply) == nil)
  }

  @Test func everyTruncationIsAnErrorOrANothing() throws {
    for sample in Sample.allCases {
      let bytes = sample.bytes
      for length in 0..<bytes.count {
        // Cut with the old length in the header, and with a header that admits the cut.
        digest(Array(bytes.prefix(length)))
        guard length >= 16 else { continue }
        var honest = Array(bytes.prefix(length))
        for index in 0..<4 { honest[index] = UInt8(length >> (8 * index) & 0xFF) }
        digest(honest)
      }
    }
  }

  @Test func lengthBeyondEveryIntegerIsRefused() {
    for length in [UInt32.max, 0x8000_0000, 0x7FFF_FFFF, 15, 0] {
      var bytes = Sample.link.bytes
      for index in 0..<4 { bytes[index] = UInt8(length >> UInt32(8 * index) & 0xFF) }
      #expect(throws: HostNetworkError.self) {
        _ = try NetlinkReply.parse(bytes, call: "test")
      }
    }
  }

  @Test(arguments: [1, 2, UInt64.random(in: 0 ... .max)])
  func randomBytesNeverTrap(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var readCount = 0
    for round in 0..<40_000 {
      // Noise with a valid header, noise without, and damaged samples.
      var bytes: [UInt8]
      switch round % 4 {
      case 0:
        let sample = Sample.allCases[round / 4 % Sample.allCases.count]
        bytes = sample.bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = generator.next()
        }
      default:
        let count = Int.random(in: 0...96, using: &generator)
        bytes = (0..<count).map { _ in generator.next() }
        if round % 4 != 1, count >= 20 {
          bytes.replaceSubrange(0..<8, with: [UInt8(count), 0, 0, 0, 16, 0, 0, 0])
          bytes[4] = [16, 20, 24, 28, 2, 3, 17][Int.random(in: 0..<7, using: &generator)]
          bytes[16] = Bool.random(using: &generator) ? 2 : 0
        }
      }
      readCount += digest(bytes)
    }
    #expect(readCount > 1000, "seed \(seed)")
  }

  /// Reads bytes every way there is; the number of messages that made sense.
  @discardableResult
  private func digest(_ bytes: [UInt8]) -> Int {
    guard let replies = try? NetlinkReply.parse(bytes, call: "test") else { return 0 }
    var count = 0
    for reply in replies {
      if (try? NetworkEvent(reply)) != nil { count += 1 }
      if (try? NetlinkAnswer(reply, call: "test", subject: "test")) != nil { count += 1 }
      for attribute in (try? reply.attributes(after: ifinfomsg.self, call: "test")) ?? [] {
        _ = attribute.text
        _ = try? attribute.nested(call: "test")
      }
    }
    return count
  }
}

extension RandomNumberGenerator {
  fileprivate mutating func next() -> UInt8 { UInt8.random(in: 0 ... .max, using: &self) }
}

@Suite struct NetlinkMessageTests {
  @Test func messageThatDoesNotFitIsNotSent() throws {
    var message = NetlinkMessage(type: RTM_GETLINK, header: ifinfomsg())
    for _ in 0..<5 { message.append(IFLA_IFALIAS, bytes: [UInt8](repeating: 65, count: 1000)) }
    message.nest(IFLA_LINKINFO) { $0.append(IFLA_INFO_KIND, text: "veth") }
    #expect(message.isOverflowing)
    #expect(message.bytes.count <= 4096)
    var netlink = try NetlinkSocket()
    #expect(throws: HostNetworkError.messageTooLong(call: "test")) {
      try netlink.request(message, call: "test", subject: "test")
    }
  }

  @Test func nestedAttributesSayTheirLength() {
    var message = NetlinkMessage(type: RTM_NEWLINK, header: ifinfomsg())
    message.nest(IFLA_LINKINFO) { $0.append(IFLA_INFO_KIND, text: "veth") }
    let expected: [UInt8] = [12, 0, UInt8(IFLA_LINKINFO), 0x80, 8, 0, 1, 0] + Array("veth".utf8)
    #expect(Array(message.bytes.dropFirst(32)) == expected)
    #expect(message.bytes.first == 44)
  }
}

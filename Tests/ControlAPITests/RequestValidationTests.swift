// SPDX-License-Identifier: Apache-2.0

import ControlAPI
import ControlPlane
import Inet
import Testing

@Suite struct RequestValidationTests {
  private static let path = "/run/netns/c1"

  private func attach(
    _ addresses: [String], netns: String? = path, pid: Int32? = nil, mac: MACAddress? = nil,
    interface: String? = nil
  ) -> AttachRequest {
    AttachRequest(
      netns: netns, pid: pid, addresses: addresses.map(Samples.prefix), mac: mac,
      interface: interface)
  }

  private func refusedField(_ request: AttachRequest) -> String? {
    do {
      _ = try request.validated()
      return nil
    } catch {
      #expect(!error.accepted.isEmpty && !error.message.isEmpty)
      return error.field
    }
  }

  @Test func aGoodRequestKeepsItsValues() throws {
    let order = try attach(
      ["10.32.0.1/12", "192.168.7.2/24"], mac: Samples.mac, interface: "eth1"
    ).validated()
    #expect(order.namespace == .path(Self.path))
    #expect(order.addresses == [Samples.prefix("10.32.0.1/12"), Samples.prefix("192.168.7.2/24")])
    #expect(order.mac == Samples.mac)
    #expect(order.interface == "eth1")
    let other = try attach(["10.32.0.1/12"], netns: nil, pid: 42).validated()
    #expect(other.namespace == .process(42))
    #expect(other.mac == nil && other.interface == nil)
    #expect("\(other.namespace) \(order.namespace)" == "pid 42 /run/netns/c1")
  }

  @Test(
    arguments: [
      (nil, nil, "netns"), ("/run/netns/c1", 1, "pid"), ("c1", nil, "netns"), ("", nil, "netns"),
      ("/a\0b", nil, "netns"), ("/" + String(repeating: "a", count: 4096), nil, "netns"),
      (nil, 0, "pid"), (nil, -1, "pid"),
    ] as [(String?, Int32?, String)])
  func exactlyOneUsableNamespaceIsNeeded(netns: String?, pid: Int32?, field: String) {
    #expect(refusedField(attach(["10.32.0.1/12"], netns: netns, pid: pid)) == field)
    let detach = DetachRequest(netns: netns, pid: pid)
    #expect(throws: RequestError.self) { try detach.validated() }
  }

  @Test func theLongestPathAndPidAreAccepted() {
    let path = "/" + String(repeating: "a", count: 4095)
    #expect(refusedField(attach(["10.32.0.1/12"], netns: path)) == nil)
    #expect(refusedField(attach(["10.32.0.1/12"], netns: nil, pid: .max)) == nil)
  }

  @Test(arguments: [
    "10.32.0.1/12", "10.32.0.0/31", "10.32.0.1/31", "10.32.0.1/32", "10.32.0.255/12",
    "10.32.0.1/30", "10.32.0.2/30", "10.0.0.1/1", "223.255.255.254/24",
  ])
  func addressesOfHostsAreAccepted(address: String) {
    #expect(refusedField(attach([address])) == nil)
  }

  @Test(arguments: [
    "10.32.0.0/12", "10.47.255.255/12", "10.32.0.0/30", "10.32.0.3/30", "10.32.0.1/0",
    "0.0.0.0/0", "0.0.0.1/8", "127.0.0.1/8", "224.0.0.1/24", "255.255.255.255/32", "240.0.0.1/8",
    "127.255.255.255/1",
  ])
  func otherAddressesAreRefusedByTheirIndex(address: String) {
    #expect(refusedField(attach([address])) == "addresses[0]")
    #expect(refusedField(attach(["10.32.0.1/12", address])) == "addresses[1]")
  }

  @Test func theNumberOfAddressesIsBounded() {
    let addresses = (1...9).map { "10.32.0.\($0)/12" }
    #expect(refusedField(attach([])) == "addresses")
    #expect(refusedField(attach(Array(addresses[..<8]))) == nil)
    #expect(refusedField(attach(addresses)) == "addresses")
    #expect(refusedField(attach(["10.32.0.1/12", "10.32.0.1/24"])) == "addresses[1]")
    let all = addresses.map(Samples.prefix)
    #expect(throws: RequestError.self) {
      try DetachRequest(pid: 1, addresses: all).validated()
    }
    #expect(throws: Never.self) { try DetachRequest(pid: 1).validated() }
  }

  @Test func onlyAStationsAddressIsAMAC() {
    for bits: UInt64 in [0, 0xFFFF_FFFF_FFFF, 0x0100_5E00_0001] {
      let request = attach(["10.32.0.1/12"], mac: MACAddress(bits: bits))
      #expect(refusedField(request) == "mac")
    }
  }

  @Test(arguments: [
    ("e", true), ("eth0.100", true), ("abcdefghijklmno", true), ("abcdefghijklmnop", false),
    ("", false), ("a b", false), ("a/b", false), (".", false), ("..", false), ("a:1", false),
    ("eth%d", false), ("a\n", false), ("é", false), ("\u{1B}[2J", false), ("a\0", false),
  ])
  func interfaceNamesAreThoseTheKernelTakes(name: String, isAccepted: Bool) {
    let field = refusedField(attach(["10.32.0.1/12"], interface: name))
    #expect(field == (isAccepted ? nil : "interface"))
  }

  @Test func aRequestErrorReadsAsOneSentence() {
    let error = RequestError("it is wrong", field: "mac", accepted: "another")
    #expect("\(error)" == "it is wrong: give another")
    #expect(ServiceError(error).kind == .invalidRequest)
    #expect(ServiceError(error).field == "mac")
  }
}

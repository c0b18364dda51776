// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dataplane
import Forwarding
import Foundation
import Inet
import TestSupport
import Testing

@testable import pktbench

/// Captures through the switch, and the frames that must come out.
@Suite struct ReplayTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "weft-replay-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  private func files(_ text: String) throws -> ReplayFiles {
    let names = text.split(separator: ",", omittingEmptySubsequences: false)
    let paths = names.map { $0.isEmpty ? "" : path(String($0)) }.joined(separator: ",")
    return try #require(ReplayFiles(argument: paths))
  }

  private func mac(_ number: UInt64) -> MACAddress {
    MACAddress(bits: 0x02_00_00_00_01_00 + number)
  }

  private func frame(_ source: UInt64, _ destination: UInt64, _ text: String = "") -> [UInt8] {
    FrameBuilder(sourceMAC: mac(source), destinationMAC: mac(destination))
      .udp(sourcePort: 1, destinationPort: 2, payload: Array(text.utf8))
  }

  private let endpoint = ReplaySwitch.Endpoint(
    address: IPv4Address(bits: 0xC000_0202), network: VirtualNetwork(bits: 42))

  private func outerFromEndpoint(_ inner: [UInt8]) -> [UInt8] {
    FrameBuilder(source: endpoint.address, destination: IPv4Address(bits: 0xC000_0201))
      .vxlan(network: 42, inner: inner)
  }

  /// A file of these frames, at these seconds.
  private func write(_ frames: [(UInt64, [UInt8])], _ name: String) throws {
    var writer = try PcapWriter(path: path(name))
    for (second, bytes) in frames {
      try writer.append(PcapRecord(nanoseconds: second * 1_000_000_000, bytes: bytes))
    }
    try writer.flush()
  }

  private func read(_ name: String) throws -> [(UInt64, [UInt8])] {
    var reader = try PcapReader(path: path(name))
    var frames: [(UInt64, [UInt8])] = []
    while let record = try reader.next() {
      frames.append((record.nanoseconds / 1_000_000_000, record.bytes))
    }
    return frames
  }

  private func expect(
    _ name: String, _ frames: [(UInt64, [UInt8])], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try read(name)
    #expect(found.map(\.0) == frames.map(\.0), sourceLocation: location)
    #expect(found.map(\.1) == frames.map(\.1), sourceLocation: location)
  }

  @Test func captureThroughTheSwitchGivesTheExactFrames() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let unknown = frame(1, 2, "before anybody is known")
    let answer = frame(2, 1, "now 1 is known")
    let known = frame(1, 2, "and 2 too")
    let far = frame(9, 1, "from far")
    let toFar = frame(1, 9, "to far")
    try write([(1, unknown), (5, known), (9, toFar)], "a.pcap")
    try write([(3, answer)], "b.pcap")
    try write([(7, outerFromEndpoint(far))], "wire.pcap")
    let result = try ReplaySwitch(
      .init(
        underlay: try files("wire.pcap,wire-out.pcap"),
        stations: [
          try files("a.pcap,a-out.pcap"), try files("b.pcap,b-out.pcap"), try files(",c-out.pcap"),
        ], endpoints: [endpoint])
    ).run()
    #expect(result.isBalanced, "\(result.text)")
    try expect("a-out.pcap", [(3, answer), (7, far)])
    try expect("b-out.pcap", [(1, unknown), (5, known)])
    try expect("c-out.pcap", [(1, unknown)])
    let wire = try read("wire-out.pcap")
    #expect(wire.map(\.0) == [1, 9])
    for (index, inner) in [unknown, toFar].enumerated() {
      let outer = wire[index].1
      let port = UInt16(outer[34]) << 8 | UInt16(outer[35])
      let built = FrameBuilder(
        sourceMAC: ReplaySwitch.ownMAC, destinationMAC: ReplaySwitch.hopMAC,
        source: IPv4Address(bits: 0xC000_0201), destination: endpoint.address
      ).vxlan(network: 42, inner: inner, sourcePort: port)
      #expect(outer == built)
    }
    #expect(result.account.received == 5 && result.account.copied == 2)
    #expect(result.account.sent == 7 && result.account.dropped.allSatisfy { $0 == 0 })
  }

  @Test func dropsAreToldByReason() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try write([(1, [1, 2, 3]), (2, frame(1, 2)), (3, frame(2, 1))], "a.pcap")
    let result = try ReplaySwitch(.init(stations: [try files("a.pcap")])).run()
    #expect(
      result.text == """
        station 0: 3 received, 0 sent
        frames: 3 received, 0 copied, 0 sent, 3 dropped, 0 held
          1 frameTooShort: shorter than an Ethernet header
          1 samePort: its destination is behind the port it came from
          1 nobodyToFloodTo: flooded, and nobody else is there to receive it
        balanced: yes

        """)
  }

  @Test(arguments: fixedSeeds)
  func sameFilesAndSeedGiveTheSameFilesThroughEveryFault(seed: UInt64) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var random = SeededGenerator(seed: seed)
    let frames = (0..<500).map { second in
      (
        UInt64(second),
        frame(UInt64(random.number(below: 4)), UInt64(random.number(below: 4)), "\(second)")
      )
    }
    try write(frames, "a.pcap")
    var written: [Data] = []
    for _ in 0..<2 {
      let argument = "loss=10,duplication=10,reordering=20,corruption=5,truncation=5,seed=\(seed)"
      let faults = try #require(ReplayFaults(argument: argument))
      let result = try ReplaySwitch(
        .init(
          stations: [try files("a.pcap"), try files(",b.pcap")], faults: faults.settings)
      ).run()
      #expect(result.isBalanced && result.account.held == 0, "\(random): \(result.text)")
      #expect(result.account.dropped(.faultInjected) > 20, "\(random)")
      written.append(try Data(contentsOf: URL(filePath: path("b.pcap"))))
    }
    #expect(written[0] == written[1], "\(random)")
  }

  @Test func brokenFileEndsTheRunWithItsPlace() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try write([(1, frame(1, 2))], "a.pcap")
    let whole = try Data(contentsOf: URL(filePath: path("a.pcap")))
    try whole.dropLast().write(to: URL(filePath: path("a.pcap")))
    let error = #expect(throws: PcapError.self) {
      _ = try ReplaySwitch(.init(stations: [try files("a.pcap")])).run()
    }
    #expect(error?.offset == UInt64(whole.count - 1) && error?.problem == .truncated(missing: 1))
  }

  @Test func fileIsNotOverwrittenByAnotherOfItsNames() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try write([(1, frame(1, 2))], "a.pcap")
    try FileManager.default.createSymbolicLink(
      atPath: path("link.pcap"), withDestinationPath: path("a.pcap"))
    try FileManager.default.linkItem(atPath: path("a.pcap"), toPath: path("hard.pcap"))
    let detour = folder.path + "/../" + folder.lastPathComponent + "/a.pcap"
    for name in [path("a.pcap"), path("link.pcap"), path("hard.pcap"), detour] {
      #expect(throws: (any Error).self, "\(name)") {
        _ = try Pktbench.parseAsRoot(["replay", "--station", "\(path("a.pcap")),\(name)"])
      }
    }
    #expect(throws: Never.self) {
      _ = try Pktbench.parseAsRoot(["replay", "--station", "\(path("a.pcap")),\(path("b"))"])
    }
  }

  // MARK: The command line

  @Test func commandLineSaysWhatToRun() throws {
    let parsed = try Pktbench.parseAsRoot([
      "replay", "--underlay", "u,v", "--station", "a,b", "--station", ",c", "--vtep",
      "192.0.2.2:42", "--fault", "loss=1.5,seed=7", "--address", "192.0.2.9",
    ])
    let replay = try #require(parsed as? Replay)
    #expect(replay.underlay == ReplayFiles(argument: "u,v"))
    #expect(replay.station.map(\.input) == ["a", nil])
    #expect(replay.station.map(\.output) == ["b", "c"])
    #expect(replay.vtep.first?.endpoint.network == VirtualNetwork(bits: 42))
    #expect(replay.fault?.settings == FaultSettings(seed: 7, loss: 15_000))
    #expect(replay.address?.address == IPv4Address(bits: 0xC000_0209))
  }

  @Test(arguments: [
    [], ["--station", ""], ["--station", ","], ["--station", "a,b,c"],
    ["--station", "a", "--vtep", "192.0.2.2:42"], ["--underlay", "a", "--vtep", "192.0.2.2"],
    ["--underlay", "a", "--vtep", "192.0.2.2:0"], ["--underlay", "a", "--vtep", "224.0.0.1:1"],
    ["--station", "a", "--fault", "loss=101"], ["--station", "a", "--fault", "loss=-1"],
    ["--station", "a", "--fault", "lost=1"], ["--station", "a", "--fault", "loss"],
    ["--station", "a", "--fault", "loss=1,loss=2"], ["--station", "a", "--fault", "loss=nan"],
    ["--station", "a", "--fault", ""], ["--station", "a", "--address", "x"],
    ["--station", "a,a"], ["--station", "a,b", "--station", "c,b"],
    ["--station", "a,b", "--underlay", "b"],
  ])
  func wrongCommandLineIsRefused(_ arguments: [String]) {
    #expect(throws: (any Error).self) { _ = try Pktbench.parseAsRoot(["replay"] + arguments) }
  }
}

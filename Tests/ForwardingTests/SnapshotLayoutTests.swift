// SPDX-License-Identifier: Apache-2.0

import Tables
import Testing

@testable import Forwarding

/// The records' layouts in mapped memory.
struct SnapshotLayoutTests {
  @Test func rootOffsetsAreTheCompilersOffsets() {
    #expect(MemoryLayout<SnapshotRoot>.offset(of: \.generation) == 0)
    #expect(MemoryLayout<SnapshotRoot>.offset(of: \.stations) == SnapshotRoot.Offset.stations)
    #expect(MemoryLayout<SnapshotRoot>.offset(of: \.sources) == SnapshotRoot.Offset.sources)
    #expect(MemoryLayout<SnapshotRoot>.offset(of: \.endpoints) == SnapshotRoot.Offset.endpoints)
    #expect(
      MemoryLayout<SnapshotRoot>.offset(of: \.floodEndpoints)
        == SnapshotRoot.Offset.floodEndpoints)
    #expect(MemoryLayout<SnapshotRoot>.offset(of: \.floodPorts) == SnapshotRoot.Offset.floodPorts)
    #expect(MemoryLayout<SnapshotRoot>.offset(of: \.peers) == SnapshotRoot.Offset.peers)
    #expect(MemoryLayout<SnapshotRoot>.offset(of: \.relays) == SnapshotRoot.Offset.relays)
  }

  @Test func rootFitsItsPage() {
    #expect(MemoryLayout<SnapshotRoot>.size <= MappedMemory.pageLength)
  }

  @Test func endpointRecordsFillAPageEvenly() {
    let stride = MemoryLayout<EndpointRecord>.stride
    #expect(stride == 128)
    #expect(MappedMemory.pageLength % stride == 0)
  }

  @Test func peerEntriesAreEightBytesAndStayInTheirList() {
    #expect(MemoryLayout<PeerEntry>.stride == 8 && MemoryLayout<PeerEntry>.size == 8)
    let entry = PeerEntry(endpoint: 1, relayCount: 3, firstRelay: 5)
    #expect(entry.relayPlaces(of: 8) == 5..<8)
    #expect(entry.relayPlaces(of: 7) == 5..<7)
    #expect(entry.relayPlaces(of: 2) == 2..<2)
  }

  @Test func hintIsSixteenBytes() {
    #expect(MemoryLayout<Hint>.stride == 16)
    #expect(MemoryLayout<Hint>.size == 16)
  }

  @Test func workersWordsFitTheFirstPage() {
    #expect(64 * (SnapshotMemory.workerCountMax + 1) <= MappedMemory.pageLength)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Testing

/// The record as it lies in a ring.
struct TraceRecordTests {
  @Test func recordHasTheSizeThatIsDocumented() {
    #expect(MemoryLayout<TraceRecord>.stride == 192)
  }

  @Test func newRecordSaysNothing() {
    let record = TraceRecord()
    #expect(record.acquaintance == .notAsked && record.finding == .notAsked && !record.isFlood)
    #expect(record.drop == nil && record.byteCount == 0 && record.sentCount == 0)
    #expect(record.bytes.count == TraceRecord.byteCountMax)
  }

  @Test func framesForGroupsAndForStationsThatAreNotKnownAreFloods() {
    var record = TraceRecord()
    let findings: [TraceRecord.Finding] = [.notAsked, .station, .group, .unknown]
    let floods = findings.filter { finding in
      record.finding = finding
      return record.isFlood
    }
    #expect(floods == [.group, .unknown])
  }
}

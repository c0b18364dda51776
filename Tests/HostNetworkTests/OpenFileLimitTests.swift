// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Testing

/// How many files may be open.
@Suite struct OpenFileLimitTests {
  @Test func limitIsRaisedOnceAndStays() {
    let raised = Machine.raiseOpenFileLimit()
    #expect(raised >= 1024)
    #expect(Machine.raiseOpenFileLimit() == raised)
  }
}

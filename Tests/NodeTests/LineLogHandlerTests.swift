// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import Testing

@testable import Node

@Suite struct LineLogHandlerSuite {
  private final class Lines: Sendable {
    let text = Mutex("")
  }

  @Test func eventIsOneLineWithSortedAndQuotedFields() {
    let lines = Lines()
    var logger = Logger(label: "test") { _ in
      LineLogHandler(threshold: LogThreshold(.info)) { line in lines.text.withLock { $0 += line } }
    }
    logger.logLevel = .info
    logger.info(
      "attached", metadata: ["netns": "/run/netns/c 1", "mac": "02:00:00:00:00:01", "why": "a\nb"])
    logger.debug("not written")
    let text = lines.text.withLock { $0 }
    #expect(
      text.hasSuffix(
        " info attached mac=02:00:00:00:00:01 netns=\"/run/netns/c 1\" why=\"a b\"\n"))
    #expect(text.filter { $0 == "\n" }.count == 1)
  }
}

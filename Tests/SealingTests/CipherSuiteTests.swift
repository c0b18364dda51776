// SPDX-License-Identifier: Apache-2.0

import CCiphers
import Testing

@testable import Sealing

@Suite struct CipherSuiteTests {
  @Test func suitesAreFoundByTheirNames() {
    for suite in CipherSuite.allCases { #expect(CipherSuite(name: suite.name) == suite) }
    #expect(CipherSuite.allCases.map(\.name) == ["secretbox", "aes256gcm", "chacha20poly1305"])
    for name in ["", "AES256GCM", "none"] { #expect(CipherSuite(name: name) == nil) }
  }

  @Test func bestSuiteIsFirstAndOnlyAESMayBeMissing() {
    let others: [CipherSuite] = [.chacha20poly1305, .secretbox]
    #expect(CipherSuite.available == (cciphers_has_aes() ? [.aes256gcm] : []) + others)
  }
}

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

  @Test func bestSuiteIsFirstAndSecretboxIsAlwaysThere() {
    let available = CipherSuite.available
    #expect(available.last == .secretbox && available.allSatisfy(\.isAvailable))
    #expect(available == [.aes256gcm, .chacha20poly1305, .secretbox].filter(available.contains))
    #expect(available.contains(.aes256gcm) == cciphers_has_aes())
  }
}

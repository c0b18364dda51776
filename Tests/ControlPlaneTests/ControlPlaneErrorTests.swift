// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ControlPlane

@Suite struct ControlPlaneErrorSuite {
  @Test(arguments: [
    ControlPlaneError.underlayMissing("eth9"), .underlayWithoutAddress("eth9"),
    .underlayUnfit("eth9 is a bridge"), .notAttached("eth9"), .alreadyAttached("eth9 is there"),
    .engine(EngineFailure("eth9 refused")),
  ])
  func sentenceNamesWhatItIsAbout(error: ControlPlaneError) {
    #expect(error.description.contains("eth9"))
    #expect(!error.description.contains("\n"))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Logging
import Routing
import Testing

@testable import ControlPlane

@Suite struct OverlayMTUTests {
  @Test(arguments: [(-10, 0), (0, 0), (1450, 1450)])
  func statusIsGivenWhateverTheUnderlayLeaves(mtu: Int, reported: UInt32) async throws {
    let control = try ControlPlane(
      options: ControlPlane.Options(
        hostName: "hosta", underlay: "absent0", vxlanPort: 4789, overlayMTU: nil, endpoints: [],
        keepsAttachments: false),
      engine: NoEngine(),
      model: try ForwardingModel(
        memory: try SnapshotMemory(pageCount: 64, entryCountMax: 64), seed: 1,
        options: ForwardingModel.Options()),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      random: SystemRandomNumberGenerator(),
      openTransport: noSockets
    ) { 1 }
    await control.suppose(overlayMTU: mtu)
    #expect(await control.statusReport().overlayMTU == reported)
  }
}

extension ControlPlane {
  fileprivate func suppose(overlayMTU: Int) { self.overlayMTU = overlayMTU }
}

private struct NoEngine: IdleEngine {}

// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Logging
import Mesh
import Routing
import Testing
import Transport

@testable import ControlPlane

/// Whom the mesh dials after the file was read again.
@Suite struct RetargetTests {
  private struct Engine: IdleEngine {}

  /// A network that nothing comes through.
  private struct SilentTransport: MeshTransport {
    func dial(_ link: LinkIdentifier, _ remote: SocketAddress) {}
    func send(_ bytes: [UInt8], on link: LinkIdentifier) {}
    func consumed(_ count: Int, on link: LinkIdentifier) {}
    func close(_ link: LinkIdentifier) {}
    func stop() {}
  }

  private func options(_ targets: [String]) -> ControlPlane.Options {
    var mesh = ControlPlane.MeshOptions(nickname: "h")
    mesh.name = PeerName(bits: 0x0200_0000_000A)
    mesh.targets = targets
    return ControlPlane.Options(
      hostName: "h", underlay: nil, vxlanPort: 4789, overlayMTU: nil, endpoints: [],
      keepsAttachments: false, mesh: mesh)
  }

  @Test func peersThatWereNamedSinceStayUnlessTheFileNamesOthers() async throws {
    let control = try ControlPlane(
      options: options(["192.0.2.1"]), engine: Engine(),
      model: try ForwardingModel(
        memory: try SnapshotMemory(pageCount: 64, entryCountMax: 64), seed: 1,
        options: ForwardingModel.Options()),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      random: SystemRandomNumberGenerator(), openTransport: { _, _ in SilentTransport() }
    ) { 1 }
    try await control.startMesh()
    try await control.connect(["192.0.2.9"], isReplacing: false)
    await control.reload(options(["192.0.2.1"]))
    #expect(await control.wantedTargets == ["192.0.2.1", "192.0.2.9"])
    try await control.forget(["192.0.2.1"])
    await control.reload(options(["192.0.2.1"]))
    #expect(await control.wantedTargets == ["192.0.2.9"])
    await control.reload(options(["192.0.2.2"]))
    #expect(await control.wantedTargets == ["192.0.2.2"])
    #expect(await control.meshReport()?.targets == ["192.0.2.2"])
    await control.stopMesh()
  }
}

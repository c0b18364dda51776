// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Logging
import Routing
import Synchronization
import Testing

@testable import ControlPlane

/// A container's port that goes, while the container still sends.
@Suite struct WithdrawTests {
  /// A worker of it sees stations behind a port until that is closed.
  private final class BusyEngine: IdleEngine {
    static let station = MACAddress(bits: 0x0200_0000_0001)
    private let hints = Mutex<[Hint]>([])

    func closePort(_ port: PortIndex, keepsProgram: Bool) -> [EngineFailure] {
      hints.withLock {
        $0.append(Hint(mac: BusyEngine.station.bits, location: Location(port)))
      }
      return []
    }

    func takeHints(_ body: (Hint) -> Void) {
      let taken = hints.withLock { hints in
        defer { hints = [] }
        return hints
      }
      taken.forEach(body)
    }
  }

  @Test func stationsOfAPortThatWentAreNotLearnedBehindTheNextOne() async throws {
    let control = try ControlPlane(
      options: ControlPlane.Options(
        hostName: "h", underlay: nil, vxlanPort: 4789, overlayMTU: nil, endpoints: [],
        keepsAttachments: false),
      engine: BusyEngine(),
      model: try ForwardingModel(
        memory: try SnapshotMemory(pageCount: 64, entryCountMax: 64), seed: 1,
        options: ForwardingModel.Options()),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      random: SystemRandomNumberGenerator(), openTransport: noSockets
    ) { 1 }
    await control.replacePort(PortIndex(2))
    #expect(await control.macReports().isEmpty)
  }
}

extension ControlPlane {
  /// Gives a port's index to another container before the hints' event is handled.
  fileprivate func replacePort(_ port: PortIndex) {
    model.addPort(port, receivesFloods: true)
    withdraw(port)
    model.addPort(port, receivesFloods: true)
    takeHints()
  }
}

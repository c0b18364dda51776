// SPDX-License-Identifier: Apache-2.0

internal import ControlPlane
internal import Dataplane
internal import HostNetwork

extension EngineAdapter {
  /// What decides on a port's mode, in the data plane's words.
  func modeSource(_ source: PortModeSource) -> ModeSource {
    switch source {
    case .driver: .driver
    case .present: .present
    case .tested(let sender, let cookie): .tested(selfTest(sender, cookie))
    }
  }

  /// A self test whose frames leave through `sender`.
  private func selfTest(_ sender: TestFrameSender, _ cookie: UInt64) -> SelfTest {
    SelfTest(
      source: sender.source, destination: sender.destination,
      frameLengthMax: sender.frameLengthMax, cookie: cookie,
      begin: { () throws(SelfTestTrouble) in
        try EngineAdapter.telling { () throws(HostNetworkError) in try sender.begin() }
      },
      send: { (frames, length) throws(SelfTestTrouble) in
        let sent = try EngineAdapter.telling { () throws(HostNetworkError) in
          try sender.send(frames, length: length)
        }
        return SentBurst(count: sent.count, nanoseconds: sent.nanoseconds)
      },
      end: { sender.end() })
  }

  private static func telling<Value>(
    _ body: () throws(HostNetworkError) -> Value
  ) throws(SelfTestTrouble) -> Value {
    do { return try body() } catch { throw SelfTestTrouble(error.description) }
  }
}

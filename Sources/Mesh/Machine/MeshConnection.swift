// SPDX-License-Identifier: Apache-2.0

import Inet

/// A TCP session with another peer, from the first byte on.
///
/// It is a stranger's until the other end has presented itself; then it has a `peering`, is part of
/// the topology and its overlays may send: registered and confirmed in one step.
struct MeshConnection: Sendable {
  /// What there is once the other end has presented itself.
  struct Peering: Sendable {
    /// How it did.
    let features: Features
    /// The connection's number, the same at both ends.
    let uid: UInt64
    /// The overlays.
    var overlay: OverlaySwitch
    /// Moves it to another password, if the other end can.
    var reauthentication: Reauthentication?
    /// Whether one of them works.
    var isEstablished = false
    /// Bounds the lines in the log about which of them carries frames.
    var choiceNotes = TokenBucket(countMax: 10, pause: .seconds(5))
    /// Such lines that were not written since the last one.
    var suppressedChoices = 0
    /// When the next heartbeat of the TCP session is due.
    var heartbeatAt: MeshInstant

    /// Lets the overlays do something, where they are; whether the data plane has to know of it.
    mutating func letOverlay(
      _ work: (inout OverlaySwitch) -> [OverlayEffect]
    ) -> (effects: [OverlayEffect], isNews: Bool) {
      let before = (overlay.fastdpLink, overlay.sleeveLink, overlay.chosen)
      let effects = work(&overlay)
      return (effects, before != (overlay.fastdpLink, overlay.sleeveLink, overlay.chosen))
    }
  }

  /// The two ends.
  let remote: SocketAddress
  let local: SocketAddress
  /// The target that it was dialled for; nil if the other end dialled.
  let dialed: SocketAddress?
  /// Our half of the connection's number.
  let connectionID: UInt64
  /// Whether we trust the path.
  let isTrusting: Bool
  /// Our passwords when it began.
  let passwords: PasswordRing?
  /// When it began.
  let beganAt: MeshInstant
  /// The session.
  var session: Link
  /// Who is there; nil: a stranger.
  var peering: Peering?
  /// Whether so much came that it can be the header and the flag of encryption.
  var hasHeader = false
  /// Bytes that came, as far as they decide about `hasHeader`.
  private var headerLength = 0
  /// When the last message came.
  private var heardAt: MeshInstant

  /// Whether we dialled.
  var isOutbound: Bool { dialed != nil }

  /// Begins a session.
  init(
    remote: SocketAddress, local: SocketAddress, dialed: SocketAddress?, connectionID: UInt64,
    isTrusting: Bool, session: Link, passwords: PasswordRing?, now: MeshInstant
  ) {
    self.remote = remote
    self.local = local
    self.dialed = dialed
    self.connectionID = connectionID
    self.isTrusting = isTrusting
    self.session = session
    self.passwords = passwords
    beganAt = now
    heardAt = now
  }

  /// When the other end must have said something.
  var silenceDeadline: MeshInstant {
    if peering != nil { return heardAt.advanced(by: MeshTiming.silence) }
    return beganAt.advanced(by: hasHeader ? MeshTiming.handshake : MeshTiming.header)
  }

  /// When something is to be done.
  var nextDeadline: MeshInstant {
    guard let peering else { return silenceDeadline }
    let others = [peering.overlay.nextDeadline, peering.reauthentication?.nextDeadline]
    return ([silenceDeadline, peering.heartbeatAt] + others.compactMap(\.self)).min()
      ?? silenceDeadline
  }

  /// Bytes came, perhaps of a header: five letters, two versions and the flag of encryption.
  mutating func countHeader(_ count: Int) {
    guard !hasHeader else { return }
    headerLength += count
    hasHeader = headerLength >= 8
  }

  /// A message came.
  mutating func heard(now: MeshInstant) { heardAt = now }
}

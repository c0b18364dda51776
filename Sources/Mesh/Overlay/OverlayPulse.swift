// SPDX-License-Identifier: Apache-2.0

/// What heartbeats tell of one overlay: whether frames get through, in both directions.
///
/// Both ends send heartbeats over the overlay and acknowledge the other's first one by TCP. An
/// overlay works once ours are acknowledged and the other end's have come: where frames pass one
/// way only it never does. Whoever hears nothing any more stops using it; only another Weft peer
/// can be told so, by taking the acknowledgement back, and only it acknowledges again.
struct OverlayPulse: Sendable {
  /// Between heartbeats while the other end has not acknowledged one, for a minute.
  static let pauseFast = Duration.milliseconds(500)
  /// Between heartbeats otherwise.
  static let pauseSlow = Duration.seconds(10)
  /// The same with another Weft peer.
  static let pauseLively = Duration.seconds(2)
  /// Without a heartbeat of the other end an overlay is of no use.
  static let silenceMax = Duration.seconds(60)
  /// The same with another Weft peer, once one came.
  static let silenceMaxLively = Duration.seconds(8)

  /// Why an overlay carries nothing.
  enum Trouble: Sendable, Equatable {
    /// No heartbeat came yet, or none of ours was acknowledged.
    case unproven
    /// No heartbeat came for so long.
    case silence(Duration)
    /// The other end hears none of ours any more.
    case unheard
  }

  private let isLively: Bool
  /// Whether heartbeats of ours arrive, as the other end says.
  private(set) var isAcknowledged = false
  /// Whether the other end's arrive.
  private(set) var isHeard = false
  /// Whether the other end was silent for too long, and still is.
  private(set) var isSilent = false
  /// Why it does not work, if it does not.
  private(set) var trouble = Trouble.unproven
  /// When the next heartbeat is due; nil: none was sent yet.
  private(set) var beatAt: MeshInstant?
  /// When the other end has been silent for too long.
  private(set) var expiry: MeshInstant?
  private var isAckSent = false
  private var isHurriedUntil = MeshInstant(nanoseconds: 0)

  /// Nothing was sent or heard.
  init(isLively: Bool) { self.isLively = isLively }

  /// Whether frames get through in both directions.
  var isWorking: Bool { isAcknowledged && isHeard }

  /// When something is due; nil: never.
  var nextDeadline: MeshInstant? { [beatAt, expiry].compactMap(\.self).min() }

  /// Heartbeats may travel from now on.
  mutating func begin(now: MeshInstant) {
    expiry = now.advanced(by: Self.silenceMax)
    isHurriedUntil = now.advanced(by: Self.silenceMax)
  }

  /// A heartbeat of ours is on its way.
  mutating func beat(now: MeshInstant) {
    let isHurried = !isAcknowledged && now < isHurriedUntil
    beatAt = now.advanced(by: isHurried ? Self.pauseFast : pause)
  }

  /// A heartbeat of the other end came; whether it is to be acknowledged.
  mutating func hear(now: MeshInstant) -> Bool {
    let isNews = !isHeard
    isHeard = true
    isSilent = false
    expiry = now.advanced(by: isLively ? Self.silenceMaxLively : Self.silenceMax)
    guard isNews, isLively || !isAckSent else { return false }
    isAckSent = true
    return true
  }

  /// The other end says that heartbeats of ours arrive; false if none was sent.
  mutating func acknowledge(now: MeshInstant) -> Bool {
    guard beatAt != nil else { return false }
    guard !isAcknowledged else { return true }
    isAcknowledged = true
    beatAt = now.advanced(by: pause)
    return true
  }

  /// The other end says that heartbeats of ours arrive no more.
  mutating func retract(now: MeshInstant) {
    guard isAcknowledged else { return }
    isAcknowledged = false
    trouble = .unheard
    isHurriedUntil = now.advanced(by: Self.silenceMax)
    beatAt = now
  }

  /// Looks at the clock; whether the other end has just been silent for too long.
  mutating func expire(now: MeshInstant) -> Bool {
    guard expiry.isDue(now) else { return false }
    if isHeard { trouble = .silence(isLively ? Self.silenceMaxLively : Self.silenceMax) }
    isHeard = false
    isSilent = true
    expiry = nil
    return true
  }

  private var pause: Duration { isLively ? Self.pauseLively : Self.pauseSlow }
}

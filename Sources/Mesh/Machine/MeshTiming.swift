// SPDX-License-Identifier: Apache-2.0

/// How long things take in a mesh (wire notes, section 19).
enum MeshTiming {
  /// Until a stranger must have sent the protocol's header.
  static let header = Duration.seconds(10)
  /// Until a stranger must have presented itself: bytes that trickle do not extend it.
  static let handshake = Duration.seconds(20)
  /// Between heartbeats of a TCP session.
  static let heartbeat = Duration.seconds(30)
  /// Without any message a connection is dead.
  static let silence = Duration.seconds(60)
  /// Between two sendings of everything that is known.
  static let gossip = Duration.seconds(30)
  /// Changes of the topology that are told together.
  static let announcement = Duration.seconds(1)
  /// News of others that are passed on together; Weave's wait for its routes, up to twice as long.
  static let news = Duration.milliseconds(50)
  /// From an update to the search for peers that are gone.
  static let collection = Duration.seconds(1)
  /// Between two keys of one direction, at least.
  static let rekeyIntervalMin = Duration.seconds(1)
  /// Between two calculations of all routes.
  static let routes = Duration.milliseconds(100)
  /// The same where they take long.
  static let routesMax = Duration.seconds(10)
}

extension Optional<MeshInstant> {
  /// Whether the moment has come.
  func isDue(_ now: MeshInstant) -> Bool { map { $0 <= now } ?? false }
}

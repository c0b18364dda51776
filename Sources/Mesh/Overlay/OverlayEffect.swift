// SPDX-License-Identifier: Apache-2.0

/// What the overlays of a connection want done.
public enum OverlayEffect: Sendable, Equatable {
  /// Send a special frame.
  case probe(OverlayProbe)
  /// Send an overlay control message: index, sub-tag, data.
  case control([UInt8])
  /// Send an overlay control message about keys, once the data plane uses them: what is sealed with
  /// a key may come as soon as the other end knows of it.
  case keyControl([UInt8])
  /// The other end did not take a key, so that another one is offered.
  case keyUnconfirmed(OverlayKind)
  /// An overlay carries frames from now on instead of another one, or of none: then the connection
  /// is established.
  case chosen(OverlayKind, from: OverlayKind?, reason: String)
  /// No overlay is left: close the connection.
  case failed(String)
}

/// What an overlay control message says, after the overlay's number; those of Weft only are sent to
/// peers that said they know them.
enum OverlaySubTag {
  /// VXLAN: a heartbeat arrived.
  static let fastdpAcknowledged: UInt8 = 0
  /// VXLAN: a key for ESP (`KeyOffer`).
  static let fastdpSecurity: UInt8 = 1
  /// Sleeve: a heartbeat arrived.
  static let sleeveAcknowledged: UInt8 = 1
  /// Sleeve: a test of fragmentation arrived.
  static let fragmentationReceived: UInt8 = 2
  /// Sleeve: a frame of this length arrived.
  static let lengthVerified: UInt8 = 3
  /// Weft, either: heartbeats arrive no more.
  static let retracted: UInt8 = 0x80
  /// Weft, sleeve: a key (`KeyOffer`).
  static let sleeveSecurity: UInt8 = 0x81
  /// Weft, either: the key with this identifier is used from now on.
  static let keyConfirmed: UInt8 = 0x82
}

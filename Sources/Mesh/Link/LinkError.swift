// SPDX-License-Identifier: Apache-2.0

/// Why a session cannot go on.
public enum LinkError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The other end speaks something else.
  case notWeave
  /// The other end speaks only older or newer versions.
  case version(minimum: UInt8, maximum: UInt8)
  /// One end has a password and the other has none.
  case passwordMismatch(isOurs: Bool)
  /// The other end's public key leads to no secret.
  case weakPublicKey
  /// A message does not open: another password, or somebody in between.
  case notAuthentic(isFirst: Bool)
  /// A message is longer than allowed.
  case tooLong(length: Int)
  /// The features cannot be read.
  case features(String)
  /// A message was to be sent before the features came.
  case notReady

  /// A sentence for people.
  public var description: String {
    switch self {
    case .notWeave:
      "the other end is not a peer, as it speaks something else than Weave's protocol; check the "
        + "address and the port, which are those of Weave Net's or Weft's TCP port"
    case .version(let minimum, let maximum):
      "the other end speaks versions \(minimum) to \(maximum) of the protocol and this peer only "
        + "version 2; use Weave Net 1.1 or newer there, without an option that limits the version"
    case .passwordMismatch(isOurs: true):
      "this peer has a password and the other end has none; give both the same password, or none"
    case .passwordMismatch(isOurs: false):
      "the other end has a password and this peer has none; give both the same password, or none"
    case .weakPublicKey:
      "the other end's public key leads to no secret, which no peer draws by chance; check who "
        + "answers at its address"
    case .notAuthentic(isFirst: true):
      "the first message of the other end does not open with this peer's password; both peers need "
        + "the same password"
    case .notAuthentic(isFirst: false):
      "a message does not open, though earlier ones did: it was changed, lost or repeated on its "
        + "way; check what stands between the two peers, the connection has to begin anew"
    case .tooLong(let length):
      "a message of \(length) bytes is longer than a connection allows; check that both ends are "
        + "Weave Net or Weft, at the address that was meant"
    case .features(let problem):
      "the other end does not introduce itself as a peer does: \(problem); check its version"
    case .notReady:
      "a message was to be sent before the other end introduced itself; wait for its features"
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Sealing

/// One end of a TCP session between two peers: bytes in, messages out, and the reverse.
///
/// Protocol 2 only: header, key exchange if there is a password, features, then tagged messages.
/// Messages are numbered by counting, so that a link is used in one place: a copy that seals too
/// would use numbers twice, which tells what both messages say.
public struct Link: Sendable {
  /// What a session starts with.
  public struct Options: Sendable {
    /// Whether we dialled.
    public var isOutbound: Bool
    /// The secrets of the whole mesh; nil: nothing is encrypted.
    public var passwords: PasswordRing?
    /// A fresh pair for this session; used only with a password.
    public var keyPair: KeyPair
    /// Longest message in bytes, as the other end counts it: Weave's limit is 10 MiB.
    public var messageLengthMax = 10 * 1024 * 1024
    /// Longest first frame, which strangers can send.
    public var featureLengthMax = 64 * 1024

    /// The primary password; setting it leaves no other one, and an empty one is none.
    public var password: Password? {
      get { passwords?.primary }
      set { passwords = PasswordRing(newValue) }
    }

    /// Describes a session.
    public init(isOutbound: Bool, passwords: PasswordRing?, keyPair: KeyPair) {
      self.isOutbound = isOutbound
      self.passwords = passwords
      self.keyPair = keyPair
    }

    /// Describes a session in a mesh with one password.
    public init(isOutbound: Bool, password: Password?, keyPair: KeyPair) {
      self.init(isOutbound: isOutbound, passwords: PasswordRing(password), keyPair: keyPair)
    }
  }

  /// What bytes of the other end led to.
  public struct Progress: Sendable, Equatable {
    /// To be sent, before anything that is sealed later.
    public var reply: [UInt8] = []
    /// What was said, in order.
    public var events: [Event] = []
  }

  /// Something the other end said.
  public enum Event: Sendable, Equatable {
    /// Who it is; the first event of a session.
    case features(FeatureMap)
    /// A message with its tag.
    case message(MessageTag, payload: [UInt8])
    /// A message with a tag that nobody knows; to be ignored.
    case unknownMessage(tag: UInt8)
  }

  private var session: LinkSession

  /// The session's key, the same at both ends: the one made with the primary password of the end
  /// that dialled.
  ///
  /// Nil without a password, and until both public keys are known; if we were dialled and accept
  /// several passwords, until the other end's features are opened.
  public var sessionKey: SessionKey? { session.sessionKey }

  /// The password that `sessionKey` is made with; nil as long as that is.
  public var authentication: Password? { session.authentication }

  /// The password that the other end seals with, the only one it has shown so far: an end that we
  /// dialled may know this one alone, and understand nothing of what we say.
  ///
  /// Nil without a password, and until the other end's features are opened if we accept several.
  public var shownPassword: Password? { session.shownPassword }

  /// How many bytes wait for the rest of their frame.
  public var bufferedCount: Int { session.bufferedCount }

  /// Starts a session in which we say `features`; the bytes of `start` are to be sent first.
  public init(_ options: Options, features: FeatureMap) {
    session = LinkSession(options, features: features.gob)
  }

  /// The first bytes to send.
  public mutating func start() -> [UInt8] { session.start }

  /// Takes bytes as they come, in pieces of any size.
  ///
  /// - Throws: what is wrong, and the same at every later call; the connection is to be closed.
  ///   What the same bytes said before that is not told any more.
  public mutating func receive(_ bytes: [UInt8]) throws(LinkError) -> Progress {
    var features: FeatureMap?
    let taken = try session.receive(bytes) { body throws(LinkError) in
      features = try Link.features(body)
    }
    var progress = Progress(reply: taken.reply)
    progress.events.reserveCapacity(taken.bodies.count)
    if let features { progress.events.append(.features(features)) }
    for body in taken.bodies.dropFirst(taken.hasFeatures ? 1 : 0) {
      progress.events.append(Link.event(body))
    }
    return progress
  }

  /// The bytes of a message; only after the features were received.
  ///
  /// - Throws: `.tooLong` for a message that no peer takes, which spoils nothing; `.notReady`; or
  ///   what ended the session.
  public mutating func seal(_ tag: MessageTag, _ payload: [UInt8]) throws(LinkError) -> [UInt8] {
    try session.seal([tag.rawValue] + payload)
  }

  private static func features(_ body: [UInt8]) throws(LinkError) -> FeatureMap {
    do {
      return try FeatureMap(gob: body)
    } catch {
      throw .features("\(error)")
    }
  }

  /// What a body says, which has a tag at least.
  private static func event(_ body: [UInt8]) -> Event {
    guard let tag = MessageTag(rawValue: body[0]) else { return .unknownMessage(tag: body[0]) }
    return .message(tag, payload: Array(body.dropFirst()))
  }
}

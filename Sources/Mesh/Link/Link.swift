// SPDX-License-Identifier: Apache-2.0

public import Sealing

/// One end of a TCP session between two peers: bytes in, messages out, and the reverse.
///
/// Protocol 2 only: header, key exchange if there is a password, features, then tagged messages.
public struct Link: Sendable {
  /// What a session starts with.
  public struct Options: Sendable {
    /// Whether we dialled.
    public var isOutbound: Bool
    /// The secret of the whole mesh; nil: nothing is encrypted.
    public var password: Password?
    /// A fresh pair for this session; used only with a password.
    public var keyPair: KeyPair
    /// Longest message in bytes, as the other end counts it: Weave's limit is 10 MiB.
    public var messageLengthMax = 10 * 1024 * 1024
    /// Longest first frame, which strangers can send.
    public var featureLengthMax = 64 * 1024

    /// Describes a session.
    public init(isOutbound: Bool, password: Password?, keyPair: KeyPair) {
      self.isOutbound = isOutbound
      self.password = password
      self.keyPair = keyPair
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

  /// The session's key once both public keys are known; nil without a password.
  public private(set) var sessionKey: SessionKey?

  /// Starts a session; `features` are ours. Send `start` first.
  public init(_ options: Options, features: FeatureMap) {}

  /// The first bytes to send.
  public mutating func start() -> [UInt8] { [] }

  /// Takes bytes as they come, in pieces of any size.
  public mutating func receive(_ bytes: [UInt8]) throws(LinkError) -> Progress { Progress() }

  /// The bytes of a message; only after the features were received.
  public mutating func seal(_ tag: MessageTag, _ payload: [UInt8]) throws(LinkError) -> [UInt8] {
    []
  }
}

/// The first byte of every message after the features.
public enum MessageTag: UInt8, Sendable {
  case heartbeat = 0
  case legacyEstablished = 1
  case legacyFragmentationReceived = 2
  case legacyPathMTUVerified = 3
  case gossip = 4
  case gossipUnicast = 5
  case gossipBroadcast = 6
  case overlayControl = 7
}

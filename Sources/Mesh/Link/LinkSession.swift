// SPDX-License-Identifier: Apache-2.0

internal import Sealing

/// What a `Link` does with bytes, without knowing what features and messages mean.
///
/// Header, flag and public key go out at once: whoever speaks version 2 expects them in this order
/// and without an answer in between, and an end that refuses can tell why. Features follow once
/// the other end's flag is known, so that nobody learns them in clear who should have a password.
struct LinkSession: Sendable {
  /// What is expected next.
  private enum Phase: Sendable {
    case header
    case flag
    case publicKey
    case features
    case messages
    case failed(LinkError)
  }

  /// What bytes led to.
  struct Progress {
    var reply: [UInt8] = []
    /// Bodies of frames in order; if `hasFeatures`, the first is the features.
    var bodies: [[UInt8]] = []
    var hasFeatures = false
  }

  private static let magic = Array("weave".utf8)
  private static let version: UInt8 = 2
  private static let headerLength = 7
  private static let lengthLength = 4

  /// Header, flag and public key.
  let start: [UInt8]

  private let isOutbound: Bool
  private let featureLengthMax: Int
  private let messageLengthMax: Int
  private let passwords: PasswordRing?
  /// Gone once the session's key is derived: without it no recording can be opened later.
  private var keyPair: KeyPair?
  private var features: [UInt8]
  private var phase = Phase.header
  private var buffer = LinkBuffer()
  private var cipher: LinkCipher?

  var sessionKey: SessionKey? { cipher?.agreedKey }

  /// The password that the session's key is made with.
  var authentication: Password? { cipher?.agreedIndex.flatMap { passwords?.all[$0] } }

  /// The password that the other end's messages are sealed with, which may be another one if we
  /// dialled; nil until it is known.
  var shownPassword: Password? { cipher?.openingIndex.flatMap { passwords?.all[$0] } }

  /// How many bytes wait for the rest of a frame.
  var bufferedCount: Int { buffer.count }

  init(_ options: Link.Options, features: [UInt8]) {
    isOutbound = options.isOutbound
    featureLengthMax = options.featureLengthMax
    messageLengthMax = options.messageLengthMax
    self.features = features
    passwords = options.passwords
    keyPair = options.keyPair
    let header = LinkSession.magic + [LinkSession.version, LinkSession.version]
    start = passwords == nil ? header + [0] : header + [1] + options.keyPair.publicKey
  }

  /// Takes bytes; `check` may refuse the features before anything behind them is looked at, so
  /// that the reason does not depend on how much came in one piece.
  mutating func receive(
    _ bytes: [UInt8], features check: ([UInt8]) throws(LinkError) -> Void = { _ in }
  ) throws(LinkError) -> Progress {
    if case .failed(let error) = phase { throw error }
    buffer.append(bytes)
    var progress = Progress()
    do throws(LinkError) {
      while try step(&progress, check) {}
    } catch {
      fail(error)
      throw error
    }
    buffer.compact()
    return progress
  }

  mutating func seal(_ body: [UInt8]) throws(LinkError) -> [UInt8] {
    switch phase {
    case .messages: return try frame(body)
    case .failed(let error): throw error
    case .header, .flag, .publicKey, .features: throw .notReady
    }
  }

  private mutating func fail(_ error: LinkError) {
    phase = .failed(error)
    buffer = LinkBuffer()
    features = []
    keyPair = nil
  }

  /// Takes the next part of the protocol; false if it is not there yet.
  private mutating func step(
    _ progress: inout Progress, _ check: ([UInt8]) throws(LinkError) -> Void
  ) throws(LinkError) -> Bool {
    switch phase {
    case .header: return try takeHeader()
    case .flag: return try takeFlag(&progress)
    case .publicKey: return try takePublicKey(&progress)
    case .features:
      guard let body = try takeFrame(lengthMax: featureLengthMax) else { return false }
      try check(body)
      progress.bodies.append(body)
      progress.hasFeatures = true
      phase = .messages
      return true
    case .messages:
      guard let body = try takeFrame(lengthMax: messageLengthMax) else { return false }
      if !body.isEmpty { progress.bodies.append(body) }
      return true
    case .failed: return false
    }
  }

  private mutating func takeHeader() throws(LinkError) -> Bool {
    // What is not Weave is noticed at its first wrong byte.
    for (index, byte) in LinkSession.magic.enumerated() where index < buffer.count {
      guard buffer[index] == byte else { throw .notWeave }
    }
    guard let header = buffer.take(LinkSession.headerLength) else { return false }
    let versions = Array(header.suffix(2))
    guard versions[0] <= LinkSession.version, LinkSession.version <= versions[1] else {
      throw .version(minimum: versions[0], maximum: versions[1])
    }
    phase = .flag
    return true
  }

  private mutating func takeFlag(_ progress: inout Progress) throws(LinkError) -> Bool {
    guard let flag = buffer.take(1)?.first else { return false }
    guard flag <= 1 else { throw .notWeave }
    guard (flag == 1) == (passwords != nil) else {
      throw .passwordMismatch(isOurs: passwords != nil)
    }
    if passwords == nil {
      try sayFeatures(&progress)
    } else {
      phase = .publicKey
    }
    return true
  }

  private mutating func takePublicKey(_ progress: inout Progress) throws(LinkError) -> Bool {
    guard let passwords, let keyPair, let publicKey = buffer.take(KeyPair.keyLength) else {
      return false
    }
    let keys = passwords.all.compactMap {
      SessionKey(keyPair, remotePublicKey: Array(publicKey), password: $0)
    }
    // A public key leads to a secret or not, whatever the password is.
    guard let key = keys.first, keys.count == passwords.all.count else { throw .weakPublicKey }
    cipher = LinkCipher(key, others: Array(keys.dropFirst()), isOutbound: isOutbound)
    self.keyPair = nil
    try sayFeatures(&progress)
    return true
  }

  private mutating func sayFeatures(_ progress: inout Progress) throws(LinkError) {
    progress.reply += try frame(features)
    features = []
    phase = .features
  }

  /// The body of the next frame, opened; nil if it is not all there yet.
  private mutating func takeFrame(lengthMax: Int) throws(LinkError) -> [UInt8]? {
    guard buffer.count >= LinkSession.lengthLength else { return nil }
    let length = (0..<LinkSession.lengthLength).reduce(0) { $0 << 8 | Int(buffer[$1]) }
    guard length <= lengthMax else { throw .tooLong(length: length) }
    guard let frame = buffer.take(LinkSession.lengthLength + length) else { return nil }
    let body = frame.dropFirst(LinkSession.lengthLength)
    guard cipher != nil else { return Array(body) }
    guard let text = cipher?.open(body) else {
      if case .features = phase { throw .notAuthentic(isFirst: true) }
      throw .notAuthentic(isFirst: false)
    }
    return text
  }

  /// A frame to be sent; what is too long for the other end is refused and spoils nothing.
  private mutating func frame(_ body: [UInt8]) throws(LinkError) -> [UInt8] {
    let length = body.count + (cipher == nil ? 0 : SecretBox.overhead)
    guard length <= messageLengthMax else { throw .tooLong(length: length) }
    var frame: [UInt8] = []
    frame.reserveCapacity(LinkSession.lengthLength + length)
    for shift in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: length >> shift)) }
    if cipher == nil {
      frame += body
    } else {
      cipher?.seal(body, appendingTo: &frame)
    }
    return frame
  }
}

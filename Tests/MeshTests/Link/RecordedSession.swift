// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Sealing
import Testing

@testable import Mesh

/// A recorded session with the throw-away keys that were published with it.
struct RecordedSession {
  /// The name of the recording.
  let name: String
  let password: Password?
  /// Private keys of the end that dialled, B, and of the other one, A.
  let privateKeys: (client: [UInt8], server: [UInt8])
  /// The session's key as it was published.
  let key: SessionKey?

  static let plain = RecordedSession(
    name: "weave-v2-plain", password: nil,
    privateKeys: ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32)), key: nil)

  static let encrypted = RecordedSession(
    name: "weave-v2-encrypted", password: Password(Array("pb-test-password".utf8)),
    privateKeys: (
      hexadecimal("0f9cd015f7303842f047f80107abdc4da5ba2353a0b091ad98d495b26323b576"),
      hexadecimal("0473dce913ebde82c23150d846812cf703f78a6687f032ee0263074c5fc5d28d")
    ),
    key: SessionKey(
      bytes: hexadecimal("4dfdd3ca6784eb0e4cfb2cea4c5fdab03cd7ea0c576d4e2d018ca44a20394a57")))

  static let encryptedProtocol1 = RecordedSession(
    name: "weave-v1-encrypted", password: encrypted.password,
    privateKeys: (
      hexadecimal("b93a4ccfbe555428f5794a65f28378391a00d555a88a272f0e7c3b698a53153a"),
      hexadecimal("bb01735fe0633ffbeddca02ab04cd9736c2079a8d8a8d6cfa148fc687560753d")
    ),
    key: SessionKey(
      bytes: hexadecimal("754bb502fb3833f116239a4342a3a1cfcf06afbdfa01825189ffeeae616f9390")))

  func captured() throws -> CapturedSession {
    try #require(try Capture(named: name).sessions.first)
  }

  func keyPair(isClient: Bool) -> KeyPair {
    KeyPair(privateKey: isClient ? privateKeys.client : privateKeys.server)
  }

  /// How one of the two ends began.
  func options(isClient: Bool) -> Link.Options {
    Link.Options(
      isOutbound: isClient, password: password, keyPair: keyPair(isClient: isClient))
  }

  /// A nonce of the stream, as the wire's description has it.
  static func nonce(isFromClient: Bool, _ number: Int) -> [UInt8] {
    var nonce = [UInt8](repeating: 0, count: 24)
    nonce[0] = isFromClient ? 0xC0 : 0x40
    nonce[23] = UInt8(number)
    return nonce
  }

  /// What is inside the frames of one end, opened without a `Link`.
  func bodies(isFromClient: Bool) throws -> [[UInt8]] {
    let session = try captured()
    let stream = try #require(
      Protocol2Stream(isFromClient ? session.clientBytes : session.serverBytes))
    #expect(stream.rest.isEmpty)
    guard let key else { return stream.frames }
    return try stream.frames.enumerated().map { number, frame in
      let nonce = RecordedSession.nonce(isFromClient: isFromClient, number)
      return try #require(SecretBox.open(frame, nonce: nonce, key: key), "message \(number)")
    }
  }
}

extension RecordedSession: CustomTestStringConvertible {
  var testDescription: String { name }
}

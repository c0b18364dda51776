// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import Sealing

/// What the other end's messages lead to.
extension Reauthentication {
  private static let generationLength = 1
  private static let nonceLength = 32

  /// What a proof authenticates; the name is the sender's, so that it is worth nothing if it is
  /// sent back.
  static func proofText(of name: PeerName) -> [UInt8] { Array("prove".utf8) + name.octets }

  /// What the confirmation of a proof authenticates.
  static func confirmationText(of name: PeerName) -> [UInt8] {
    Array("proven".utf8) + name.octets
  }

  /// The other end proves a password of its own.
  mutating func receiveProof(_ data: [UInt8], now: MeshInstant) -> [Effect]? {
    let lengths = Reauthentication.generationLength + Reauthentication.nonceLength
    guard data.count == lengths + Reauthentication.proofLength, data[0] == generation &+ 1 else {
      return nil
    }
    let isSimultaneous = pending != nil
    // Ours counts, and the other end answers it.
    if isSimultaneous && isOutbound { return [] }
    // The other end had not seen ours when it sent this, and will not answer it.
    pending = nil
    let isTried = proofs.take(now: now)
    let nonce = Array(data[Reauthentication.generationLength..<lengths])
    guard isTried, let known = known(nonce: nonce, proof: data[lengths...]) else {
      let refusal = Effect.send(Reauthentication.unknown, [data[0]])
      guard isSimultaneous else { return [refusal] }
      if isTried { return [refusal] + proveIfNeeded() }
      retryAt = now.advanced(by: Reauthentication.retryPause)
      return [refusal]
    }
    // The other end's new password has reached us: ours is not proved against it, now or later.
    retryAt = nil
    let rekeyed = adopt(known, now: now)
    let proof = key.authenticator(of: Reauthentication.confirmationText(of: own))
    return [.send(Reauthentication.proven, [generation] + proof), rekeyed]
  }

  /// The other end knows the password that we proved.
  mutating func receiveConfirmation(_ data: [UInt8], now: MeshInstant) -> [Effect]? {
    let length = Reauthentication.generationLength + Reauthentication.proofLength
    guard data.count == length, let pending, data[0] == pending.generation else { return nil }
    let expected = pending.candidate.authenticator(
      of: Reauthentication.confirmationText(of: remote))
    guard Reauthentication.isSame(expected, data[Reauthentication.generationLength...]) else {
      return nil
    }
    self.pending = nil
    // Our passwords may have changed in the meantime.
    return [adopt(pending, now: now)] + proveIfNeeded()
  }

  /// The other end does not know the password that we proved.
  mutating func receiveRefusal(_ data: [UInt8], now: MeshInstant) -> [Effect]? {
    guard let pending, data == [pending.generation] else { return nil }
    self.pending = nil
    // Another one than that may be ours by now.
    guard pending.password == ring.primary else { return proveIfNeeded() }
    if isProofWanted {
      retryAt = now.advanced(by: Reauthentication.retryPause)
    }
    return []
  }

  /// The password of ours that the other end proved, and the key that it made with it.
  private func known(nonce: [UInt8], proof: ArraySlice<UInt8>) -> Proof? {
    let text = Reauthentication.proofText(of: remote)
    var known: Proof?
    // All are tried, so that the time tells nothing about which one it is.
    for password in ring.all {
      let candidate = base.mixed(with: password, nonce: nonce)
      guard Reauthentication.isSame(candidate.authenticator(of: text), proof) else { continue }
      known = Proof(generation: generation &+ 1, password: password, candidate: candidate)
    }
    return known
  }

  private mutating func adopt(_ proof: Proof, now: MeshInstant) -> Effect {
    authentication = proof.password
    // Who proves a password, or confirms a proof of it, knows it.
    shown = proof.password
    key = proof.candidate
    generation = proof.generation
    boundUnaccepted(now: now)
    return .rekeyed(key, generation: generation)
  }

  /// Compares without stopping at the first difference.
  private static func isSame(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

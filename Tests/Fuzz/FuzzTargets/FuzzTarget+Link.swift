// SPDX-License-Identifier: Apache-2.0

import Mesh
import Sealing

extension FuzzTarget {
  // Drawing keys takes longer than all the rest.
  private static let keyPair = KeyPair(privateKey: [UInt8](repeating: 1, count: 32))
  private static let password = Password(Array("fuzz".utf8))
  private static let features = FeatureMap(["Name": "02:00:00:00:00:0a"])

  /// The first byte says whether there is a password and who dialled, the second how the rest is
  /// cut into pieces.
  static func link(_ bytes: [UInt8]) throws {
    var reading = Reading(bytes)
    let kind = reading.byte()
    let length = Int(reading.byte()) + 1
    let stream = reading.bytes(bytes.count)
    var options = Link.Options(
      isOutbound: kind & 2 != 0, password: kind & 1 != 0 ? password : nil, keyPair: keyPair)
    options.featureLengthMax = 300
    options.messageLengthMax = 600
    let pieces = try hear(stream, pieceLength: length, Link(options, features: features))
    let whole = try hear(
      stream, pieceLength: max(1, stream.count), Link(options, features: features))
    try hold(pieces.error == whole.error, "pieces change nothing: \(String(describing: whole))")
    // What came before an error is told only if it came in an earlier piece.
    if whole.error == nil { try hold(pieces.events == whole.events, "pieces change nothing") }
    if options.password == nil { try compare(whole, PlainLink(stream, options)) }
  }

  private struct Heard {
    var events: [Link.Event] = []
    var error: LinkError?
  }

  private static func hear(
    _ stream: [UInt8], pieceLength: Int, _ link: Link
  ) throws -> Heard {
    var link = link
    var heard = Heard()
    for start in stride(from: 0, to: stream.count, by: pieceLength) {
      let piece = Array(stream[start..<min(stream.count, start + pieceLength)])
      do {
        heard.events += try link.receive(piece).events
      } catch {
        heard.error = error
        break
      }
      try hold(link.bufferedCount < 604 + piece.count, "one frame and one read at most wait")
    }
    try check(&link, heard)
    return heard
  }

  /// What a session does that was refused, or that goes on.
  private static func check(_ link: inout Link, _ heard: Heard) throws {
    if let error = heard.error {
      try hold(link.bufferedCount == 0, "a refused session keeps nothing")
      do {
        _ = try link.receive([])
        throw Violation(description: "a refused session stays refused")
      } catch let again as LinkError {
        try hold(again == error, "for the same reason: \(again), \(error)")
      }
      try hold(error.description.count > 40, "a sentence: \(error)")
    }
    let isReady = heard.error == nil && !heard.events.isEmpty
    let sealed = try? link.seal(.heartbeat, [])
    try hold((sealed != nil) == isReady, "messages are sent after the features, \(heard.events)")
  }

  private static func compare(_ heard: Heard, _ plain: PlainLink) throws {
    guard case .features? = heard.error else {
      try hold((heard.error != nil) == plain.isRefused, "\(String(describing: heard.error))")
      guard heard.error == nil else { return }
      try hold(heard.events.dropFirst() == plain.events.dropFirst(), "messages as they are framed")
      return try hold(heard.events.isEmpty == (plain.frameCount == 0), "features come first")
    }
    try hold(plain.frameCount > 0, "features that were not there cannot be wrong")
  }
}

/// A session without a password, read all at once from the wire's description.
private struct PlainLink {
  private(set) var isRefused = false
  private(set) var frameCount = 0
  /// Messages, with a heartbeat in the place of the features.
  private(set) var events: [Link.Event] = []

  init(_ stream: [UInt8], _ options: Link.Options) {
    let wanted: [ClosedRange<UInt8>] =
      Array("weave".utf8).map { $0...$0 } + [0...2, 2...255, 0...0]
    for (byte, range) in zip(stream, wanted) where !range.contains(byte) { isRefused = true }
    // Both ends of the range of versions are looked at together.
    if stream.count == 6 { isRefused = !stream.starts(with: Array("weave".utf8)) }
    if !isRefused, stream.count >= wanted.count {
      takeFrames(Array(stream.dropFirst(wanted.count)), options)
    }
  }

  private mutating func takeFrames(_ stream: [UInt8], _ options: Link.Options) {
    var rest = stream
    while rest.count >= 4 {
      let length = Int(plain(rest, 0, 4))
      let most = frameCount == 0 ? options.featureLengthMax : options.messageLengthMax
      isRefused = length > most
      guard !isRefused, rest.count >= 4 + length else { return }
      take(Array(rest[4..<4 + length]))
      rest = Array(rest[(4 + length)...])
    }
  }

  private mutating func take(_ body: [UInt8]) {
    frameCount += 1
    if frameCount == 1 {
      events.append(.message(.heartbeat, payload: []))
    } else if let tag = body.first {
      let payload = Array(body.dropFirst())
      let known = MessageTag(rawValue: tag)
      events.append(known.map { .message($0, payload: payload) } ?? .unknownMessage(tag: tag))
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh

/// What happened: a hash of everything and the last events in words.
struct Journal {
  private static let lineCountMax = 60

  private struct Line {
    let at: MeshInstant
    let host: Int
    let input: MeshInput
    let effects: [MeshEffect]
  }

  private var lines: [Line] = []
  private var next = 0
  /// Equal for worlds in which the same happened.
  private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func note(_ at: MeshInstant, host: Int, _ input: MeshInput, _ effects: [MeshEffect]) {
    mix(at.nanoseconds)
    mix(UInt64(host))
    mix(input)
    for effect in effects { mix(effect) }
    let line = Line(at: at, host: host, input: input, effects: effects)
    if lines.count < Self.lineCountMax { lines.append(line) } else { lines[next] = line }
    next = (next + 1) % Self.lineCountMax
  }

  var lastEvents: String {
    let inOrder = lines.count < Self.lineCountMax ? lines : Array(lines[next...] + lines[..<next])
    return inOrder.map { line in
      let effects = line.effects.map(Self.words).joined(separator: "; ")
      return "\(Double(line.at.nanoseconds) / 1e9 - 1) host \(line.host) \(Self.words(line.input))"
        + (effects.isEmpty ? "" : " -> \(effects)")
    }.joined(separator: "\n")
  }

  private static func words(_ input: MeshInput) -> String {
    switch input {
    case .received(let link, let bytes): "received \(bytes.count) B on \(number(link))"
    case .special(let special):
      "\(special.overlay) \(special.content) of \(special.frameLength) B from \(special.peer)"
    case .accepted(let link, let remote, _): "accepted \(number(link)) from \(remote)"
    case .dialed(let link, let remote, _): "dialed \(number(link)) to \(remote)"
    case .dialFailed(let link, let reason): "dial \(number(link)) failed: \(reason)"
    case .closed(let link, let reason): "closed \(number(link)): \(reason)"
    case .connect(let targets, _): "connect \(targets.map(\.text))"
    case .deadline, .datagramTooLong, .forget, .underlayMTU, .overlayMTU, .keyUsed, .keysRead,
      .passwords:
      "\(input)"
    }
  }

  private static func words(_ effect: MeshEffect) -> String {
    switch effect {
    case .dial(let link, let address): "dial \(number(link)) \(address)"
    case .send(let link, let bytes): "send \(bytes.count) B on \(number(link))"
    case .close(let link): "close \(number(link))"
    case .probe(let probe): "\(probe.overlay) of \(probe.frameLength) B to \(probe.peer)"
    case .forwardingChanged: "forwarding changed"
    case .keysAwaited: "keys awaited"
    case .peersForgotten(let names): "forgot \(names)"
    case .note(let note): "note \(note.text) \(note.details.sorted { $0.key < $1.key })"
    }
  }

  private static func number(_ link: LinkIdentifier) -> String {
    link.number >> 63 == 1 ? "a\(link.number & (1 << 63 - 1))" : "d\(link.number)"
  }

  // MARK: The hash

  mutating func mix(_ word: UInt64) {
    hash = (hash ^ word) &* 0x100_0000_01B3
    hash ^= hash >> 29
  }

  /// Long ones are sampled: an order that differs shows all the same.
  private mutating func mix(_ bytes: [UInt8]) {
    mix(UInt64(bytes.count))
    for index in stride(from: 0, to: bytes.count, by: bytes.count / 64 + 1) {
      mix(UInt64(bytes[index]))
    }
  }

  private mutating func mix(_ input: MeshInput) {
    switch input {
    case .received(let link, let bytes):
      mix(link.number)
      mix(bytes)
    case .special(let special):
      mix(special.peer.bits)
      mix(UInt64(special.frameLength))
    case .accepted(let link, _, _): mix(link.number ^ 1 << 32)
    case .dialed(let link, _, _): mix(link.number ^ 2 << 32)
    case .dialFailed(let link, _): mix(link.number ^ 3 << 32)
    case .closed(let link, _): mix(link.number ^ 4 << 32)
    case .deadline, .datagramTooLong, .connect, .forget, .underlayMTU, .overlayMTU, .keyUsed,
      .keysRead, .passwords:
      mix(5 << 32)
    }
  }

  private mutating func mix(_ effect: MeshEffect) {
    switch effect {
    case .dial(let link, let address):
      mix(link.number)
      mix(UInt64(address.address.bits))
    case .send(let link, let bytes):
      mix(link.number)
      mix(bytes)
    case .close(let link): mix(link.number ^ 6 << 32)
    case .probe(let probe):
      mix(probe.peer.bits)
      mix(UInt64(probe.frameLength))
    case .forwardingChanged: mix(7 << 32)
    case .keysAwaited: mix(8 << 32)
    case .peersForgotten(let names): for name in names { mix(name.bits) }
    case .note(let note): mix(Array(note.text.utf8))
    }
  }
}

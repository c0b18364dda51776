// SPDX-License-Identifier: Apache-2.0

import Sealing

extension FuzzTarget {
  /// The bytes are a packet that nobody sealed, and say what happens to packets on their way.
  static func sealing(_ bytes: [UInt8]) throws {
    var play = try SealingPlay()
    try forged(bytes, &play)
    var input = Reading(bytes)
    // More batches show nothing that another input could not show sooner.
    for _ in 0..<12 where !input.isAtEnd { try play.pass(&input) }
    try play.end()
  }

  /// Keys of all kinds open nothing that was not sealed with them.
  private static func forged(_ bytes: [UInt8], _ play: inout SealingPlay) throws {
    for kind in SealingPlay.kinds.indices {
      let outcome = play.open(bytes, kind)
      try hold([.notAuthentic, .malformed, .keyMissing].contains(outcome), "\(outcome) is refused")
      let isTooShort = bytes.count < SealingPlay.overhead(of: kind)
      try hold((outcome == .malformed) == isTooShort, "\(outcome) of \(bytes.count) bytes")
    }
  }
}

/// Two ends that seal and open with keys of all kinds, and somebody between them.
struct SealingPlay {
  /// Suites with the layouts that they are used in.
  static let kinds: [(suite: CipherSuite, layout: FrameKey.Layout)] = [
    (.secretbox, .sleeve), (.aes256gcm, .sleeve), (.chacha20poly1305, .sleeve),
    (.aes256gcm, .esp), (.chacha20poly1305, .esp),
  ]

  private let keys = FrameKeys()
  private var sealing: [UInt16] = []
  private var opening: [UInt16] = []
  /// What was sealed, and whether it was opened.
  private var sent: [(kind: Int, packet: [UInt8], text: [UInt8], wasOpened: Bool)] = []
  private var openedCounts = [UInt64](repeating: 0, count: kinds.count)
  private var replayedCounts = [UInt64](repeating: 0, count: kinds.count)

  /// Both ends' keys of each kind; to make them takes longer than to use them.
  private static let pairs: [[FrameKey]] = {
    guard let session = SessionKey(bytes: [UInt8](repeating: 0x51, count: 32)) else { return [] }
    return kinds.enumerated().map { index, kind in
      [true, false].map { isSealing in
        kind.suite == .secretbox
          ? FrameKey(secretbox: session, isSenderOutbound: true, isSealing: isSealing)
          : FrameKey(
            kind.suite, layout: kind.layout, isSealing: isSealing, identifier: UInt32(index),
            from: session, nonce: [UInt8](repeating: UInt8(index), count: 32), info: [])
      }
    }
  }()

  init() throws {
    for pair in SealingPlay.pairs {
      let places = pair.compactMap(keys.add)
      try hold(places.count == 2, "there is room for the keys of both ends")
      sealing.append(places[0])
      opening.append(places[1])
    }
  }

  static func overhead(of kind: Int) -> Int { kinds[kind].layout == .esp ? 32 : 30 }

  /// Where the text of a packet is.
  private static func text(of packet: [UInt8], _ kind: Int) -> [UInt8] {
    kinds[kind].layout == .esp
      ? Array(packet[16..<packet.count - 16]) : Array(packet[30...])
  }

  /// What comes of a single packet.
  mutating func open(_ packet: [UInt8], _ kind: Int) -> SealingBatch.Outcome {
    var memory = packet
    var batch = SealingBatch()
    batch.append(
      SealingBatch.Packet(offset: 0, length: UInt32(memory.count), key: opening[kind]))
    var span = memory.mutableSpan
    keys.open(&batch, in: &span)
    return batch.outcome(of: 0)
  }

  // MARK: Passes

  /// Seals some packets together, changes some of all that were sealed, and opens these.
  mutating func pass(_ input: inout Reading) throws {
    try seal(&input)
    var arrivals: [(row: Int, packet: [UInt8], isChanged: Bool)] = []
    for _ in 0..<1 + Int(input.byte() % 64) where !sent.isEmpty {
      let row = Int(input.number()) % sent.count
      var packet = sent[row].packet
      change(&packet, &input)
      // The name is not authenticated by secretbox.
      let free = sent[row].kind == 0 ? 6 : 0
      arrivals.append((row, packet, packet.dropFirst(free) != sent[row].packet.dropFirst(free)))
    }
    try open(arrivals)
  }

  private mutating func seal(_ input: inout Reading) throws {
    var batch = SealingBatch()
    var memory: [UInt8] = []
    var texts: [(kind: Int, text: [UInt8])] = []
    for _ in 0..<1 + Int(input.byte() % 64) {
      let (choice, length) = (input.byte(), Int(input.byte()) * 3)
      let kind = Int(choice & 0x7F) % SealingPlay.kinds.count
      let text = [UInt8](repeating: choice, count: length)
      var row = SealingBatch.Packet(
        offset: UInt32(memory.count), length: UInt32(length + SealingPlay.overhead(of: kind)),
        key: sealing[kind])
      row.isFragmentable = choice & 0x80 != 0
      batch.append(row)
      let before = SealingPlay.kinds[kind].layout == .esp ? 16 : 30
      memory += [UInt8](repeating: 0, count: before) + text
      memory += [UInt8](repeating: 0, count: SealingPlay.overhead(of: kind) - before)
      texts.append((kind, text))
    }
    var span = memory.mutableSpan
    keys.seal(&batch, in: &span)
    for (row, (kind, text)) in texts.enumerated() {
      try hold(batch.outcome(of: row) == .done, "packets are sealed")
      let start = Int(batch[row].offset)
      sent.append((kind, Array(memory[start..<start + Int(batch[row].length)]), text, false))
    }
  }

  private func change(_ packet: inout [UInt8], _ input: inout Reading) {
    switch input.byte() % 8 {
    case 0: packet[Int(input.number()) % packet.count] ^= input.byte()
    case 1: packet.removeLast(Int(input.number()) % (packet.count + 1))
    case 2: packet += input.bytes(Int(input.byte()))
    default: break
    }
  }

  private mutating func open(_ arrivals: [(row: Int, packet: [UInt8], isChanged: Bool)]) throws {
    var batch = SealingBatch()
    var memory: [UInt8] = []
    for arrival in arrivals {
      batch.append(
        SealingBatch.Packet(
          offset: UInt32(memory.count), length: UInt32(arrival.packet.count),
          key: opening[sent[arrival.row].kind]))
      memory += arrival.packet
    }
    var span = memory.mutableSpan
    keys.open(&batch, in: &span)
    for (row, arrival) in arrivals.enumerated() {
      let kind = sent[arrival.row].kind
      switch batch.outcome(of: row) {
      case .done:
        try hold(!arrival.isChanged && !sent[arrival.row].wasOpened, "each is opened once")
        let start = Int(batch[row].offset)
        let opened = Array(memory[start..<start + Int(batch[row].length)])
        try hold(
          SealingPlay.text(of: opened, kind) == sent[arrival.row].text, "the text is the same")
        sent[arrival.row].wasOpened = true
        openedCounts[kind] += 1
      case .replayed:
        try hold(!arrival.isChanged && sent[arrival.row].wasOpened, "only what was opened is old")
        replayedCounts[kind] += 1
      case .notAuthentic, .malformed, .keyMissing:
        try hold(arrival.isChanged, "what was not changed is authentic")
      case .pending, .exhausted:
        throw Violation(description: "something comes of every packet")
      }
    }
  }

  /// What is counted is what came of the packets.
  func end() throws {
    for kind in SealingPlay.kinds.indices {
      let sealedCount = sent.count { $0.kind == kind }
      try hold(keys.counts(of: sealing[kind]).sealed == sealedCount, "sealed packets are counted")
      let counts = keys.counts(of: opening[kind])
      try hold(counts.opened == openedCounts[kind], "opened packets are counted")
      try hold(counts.replayed == replayedCounts[kind], "replayed packets are counted")
    }
  }
}

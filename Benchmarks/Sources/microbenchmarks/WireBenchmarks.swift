// SPDX-License-Identifier: Apache-2.0

internal import Inet
internal import Wire

/// Headers: reading, writing, hashing and summing them.
enum WireBenchmarks {
  static var all: [Benchmark] {
    [
      reading("openVXLAN.64-bytes", Opening.self, FrameBytes.outer(inner(length: 64))),
      reading("openVXLAN.1350-bytes", Opening.self, FrameBytes.outer(inner(length: 1350))),
      Benchmark("Wire.openVXLAN.words", items: WordReading<QuickOpening>.count) {
        WordReading<QuickOpening>(FrameBytes.outer(inner(length: 64)))
      },
      reading("flowHash.udp", Hashing.self, inner(length: 64)),
      Benchmark("Wire.flowHash.words", items: WordReading<QuickHashing>.count) {
        WordReading<QuickHashing>(inner(length: 64))
      },
      reading("checksum.20-bytes", Summing.self, Array(inner(length: 64).dropFirst(14).prefix(20))),
      reading("checksum.1350-bytes", Summing.self, inner(length: 1350)),
      Benchmark("Wire.writeTemplate.64-bytes", items: TemplateWriting.count) { TemplateWriting() },
    ]
  }

  private static func reading<Function: FrameFunction>(
    _ name: String, _ function: Function.Type, _ bytes: [UInt8]
  ) -> Benchmark {
    Benchmark("Wire.\(name)", items: FrameReading<Function>.count) {
      FrameReading<Function>(bytes)
    }
  }

  private static func inner(length: Int) -> [UInt8] {
    FrameBytes.udp(from: FrameBytes.sender(0), to: FrameBytes.receiver(0), length: length)
  }
}

/// Reads a frame and makes a number of it, which is not 0.
private protocol FrameFunction {
  static func number(of frame: Span<UInt8>) -> UInt64
}

private enum Opening: FrameFunction {
  @inline(__always)
  static func number(of frame: Span<UInt8>) -> UInt64 {
    guard case .opened(let opened) = openVXLAN(frame) else { return 0 }
    return UInt64(opened.innerLength) ^ UInt64(opened.source.bits) ^ UInt64(opened.network.bits)
  }
}

private enum Hashing: FrameFunction {
  @inline(__always)
  static func number(of frame: Span<UInt8>) -> UInt64 { UInt64(flowHash(frame)) }
}

private enum Summing: FrameFunction {
  @inline(__always)
  static func number(of bytes: Span<UInt8>) -> UInt64 {
    UInt64(InternetChecksum.fold(InternetChecksum.sum(bytes)))
  }
}

/// Applies a function to copies of a frame.
private struct FrameReading<Function: FrameFunction>: Workload {
  static var count: Int { 64 }

  private let bytes: [UInt8]
  private let length: Int
  private var sum: UInt64 = 0
  private let expected: UInt64

  init(_ frame: [UInt8]) {
    bytes = (0..<Self.count).flatMap { _ in frame }
    length = frame.count
    expected = Function.number(of: frame.span) &* UInt64(Self.count)
  }

  mutating func prepare() {}

  mutating func run() {
    var sum: UInt64 = 0
    var rest = bytes.span
    for _ in 0..<Self.count {
      sum &+= Function.number(of: rest.extracting(first: length))
      rest = rest.extracting(droppingFirst: length)
    }
    self.sum = sum
  }

  var isAsExpected: Bool { sum == expected && sum != 0 }
}

/// Makes a number, which is not 0, of the words that a worker loads of a frame.
private protocol WordFunction {
  static func number(of words: LeadingWords, vxlan: UInt64, frameLength: Int) -> UInt64
}

private enum QuickOpening: WordFunction {
  @inline(__always)
  static func number(of words: LeadingWords, vxlan: UInt64, frameLength: Int) -> UInt64 {
    guard let opened = VXLANOpened(words, vxlan: vxlan, frameLength: frameLength) else { return 0 }
    return UInt64(opened.innerLength) ^ UInt64(opened.source.bits) ^ UInt64(opened.network.bits)
  }
}

private enum QuickHashing: WordFunction {
  @inline(__always)
  static func number(of words: LeadingWords, vxlan: UInt64, frameLength: Int) -> UInt64 {
    UInt64(flowHash(words) ?? 0)
  }
}

/// Applies a function to copies of a frame's words.
private struct WordReading<Function: WordFunction>: Workload {
  static var count: Int { 64 }

  private let words: [LeadingWords]
  private let vxlan: UInt64
  private let length: Int
  private var sum: UInt64 = 0
  private let expected: UInt64

  init(_ frame: [UInt8]) {
    let first = LeadingWords(frame.span)
    words = first.map { Array(repeating: $0, count: Self.count) } ?? []
    vxlan = frame.span.loadUInt64(at: 42).byteSwapped
    length = frame.count
    let (vxlan, length) = (vxlan, length)
    expected =
      first.map { Function.number(of: $0, vxlan: vxlan, frameLength: length) &* UInt64(Self.count) }
      ?? 0
  }

  mutating func prepare() {}

  mutating func run() {
    var sum: UInt64 = 0
    for words in words {
      sum &+= Function.number(of: words, vxlan: vxlan, frameLength: length)
    }
    self.sum = sum
  }

  var isAsExpected: Bool { sum == expected && sum != 0 }
}

/// Puts outer headers in front of frames.
private struct TemplateWriting: Workload {
  static var count: Int { 64 }

  private let template = FrameBytes.fromEndpoint
  private var bytes = [UInt8](repeating: 0, count: count * VXLANTemplate.length)

  mutating func prepare() {}

  mutating func run() {
    let template = template
    var span = bytes.mutableSpan
    for index in 0..<Self.count {
      let start = index &* VXLANTemplate.length
      var header = span._mutatingExtracting(start..<start &+ VXLANTemplate.length)
      template.write(into: &header, innerLength: 64 &+ index, sourcePort: UInt16(index))
    }
  }

  var isAsExpected: Bool {
    // What follows the first header in the buffer is taken for its inner frame.
    guard case .opened(let opened) = openVXLAN(bytes.span) else { return false }
    return opened.innerLength == 64
  }
}

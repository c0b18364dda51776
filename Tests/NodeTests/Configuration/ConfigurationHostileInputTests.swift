// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Node

/// Whatever a file holds, reading it ends in a configuration or in errors.
@Suite struct ConfigurationHostileInputTests {
  @Test func everyTruncationIsReadOrRefused() {
    let bytes = Array((completeFile + trickyFile).utf8)
    for length in 0...bytes.count {
      let text = String(decoding: bytes[..<length], as: UTF8.self)
      check(text, "the first \(length) bytes")
    }
  }

  @Test(arguments: [seedFromEnvironment ?? UInt64.random(in: 0...UInt64.max)])
  func mutationsAreReadOrRefused(_ seed: UInt64) {
    var random = SplitMix(state: seed)
    let good = [Array(completeFile.utf8), Array(trickyFile.utf8)]
    let rounds = 20_000
    var accepted = 0
    for round in 0..<rounds {
      var bytes = good[round % 2]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        mutate(&bytes, using: &random)
      }
      let text = String(decoding: bytes, as: UTF8.self)
      if check(text, "seed \(seed), round \(round)") { accepted += 1 }
    }
    // Were nearly all refused by the syntax, nothing behind it would have been tried.
    #expect(accepted > rounds / 10, "seed \(seed)")
  }
}

/// `WEFT_SEED=… swift test --filter ConfigurationHostileInputTests` repeats a failure.
private let seedFromEnvironment = ProcessInfo.processInfo.environment["WEFT_SEED"]
  .flatMap { UInt64($0) }

/// Reads `text` and returns whether it is TOML.
@discardableResult
private func check(_ text: String, _ trace: String) -> Bool {
  let found = mistakes(in: text)
  let areHarmless = found.allSatisfy { line in
    line.utf8.count < 2000 && line.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "\u{7F}" }
  }
  #expect(areHarmless, "\(trace): \(found)")
  var parser = TOMLParser(text)
  let isTOML = (try? parser.parse()) != nil
  #expect(isTOML || found.count == 1, "\(trace)")
  return isTOML
}

private func mutate(_ bytes: inout [UInt8], using random: inout SplitMix) {
  let piece: [UInt8] = pieces[Int.random(in: 0..<pieces.count, using: &random)]
  let start = Int.random(in: 0...bytes.count, using: &random)
  let end = min(bytes.count, start + Int.random(in: 0...6, using: &random))
  switch Int.random(in: 0..<5, using: &random) {
  case 0: bytes.removeSubrange(start..<end)
  case 1: bytes.insert(contentsOf: piece, at: start)
  case 2: bytes.replaceSubrange(start..<end, with: piece)
  case 3: bytes.insert(contentsOf: bytes[start..<end], at: 0)
  default:
    if start < bytes.count { bytes[start] = UInt8.random(in: 0...255, using: &random) }
  }
}

private let pieces: [[UInt8]] = [
  "\"", "'", "\"\"\"", "'''", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n",
  "\\", "\\u0000", "\\U0010FFFF", "\\ud800", "-", "0x", "1e9", "inf", "nan", "1979-05-27T07:32:00Z",
  "9223372036854775808", "true", "vtep", "[[vtep]]\n", "[underlay]\n", "a.b", "\u{FEFF}", "\0",
].map { Array($0.utf8) }

/// Valid TOML with everything that is easy to get wrong.
private let trickyFile = """

  [tricky]
  "quoted key" = "\\"#[]{}=,\\\\"
  'a.b'."c\\u0041" = '\\'
  long = \"\"\"
  [not.a.section] = 1
  \\\"\"\" \"\"\"\"\"
  raw = '''
  it''s # not a comment
  '''
  dates = [1979-05-27, 07:32:00, 1979-05-27 07:32:00.5+01:00]
  inline = { a = [ { b = 1 }, { b = [[], [ # comment ]
    2] ] } ], c.d = "}" }
  [[tricky.list]]
  [tricky.list.inner]
  x = -0.5e-3
  [[tricky.list]]
  inner.x = 0o17

  """

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Wire

extension FuzzTarget {
  /// The bytes are the records of a datagram, and say what happens to a worker with neighbours by
  /// sleeve.
  static func sleeve(_ bytes: [UInt8]) throws {
    try records(bytes)
    var input = Reading(bytes)
    var play = try SleevePlay(&input)
    // More steps show nothing that another input could not show sooner.
    for _ in 0..<60 where !input.isAtEnd { try play.step(&input) }
    try play.end()
  }

  private static func records(_ bytes: [UInt8]) throws {
    let (expected, isWhole) = PlainSleeve.records(bytes)
    let found = PlainSleeve.found(bytes)
    try hold(found.records == expected && found.isWhole == isWhole, "records as defined")
    for record in expected {
      let special = SleeveSpecialFrame(record.frame.span)
      try hold(special == PlainSleeve.special(record.frame), "special as defined: \(record)")
    }
    let frame = SleeveSpecialFrame(bytes.span)
    try hold(bytes.count > 65_535 || frame == PlainSleeve.special(bytes), "special as defined")
    if let header = SleeveSealedHeader(bytes.span) {
      try hold(header.sender.bits == plain(bytes, 0, 6), "sender")
      try hold(header.sequence.bits == plain(bytes, 6, 8), "sequence")
    }
  }
}

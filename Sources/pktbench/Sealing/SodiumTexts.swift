// SPDX-License-Identifier: Apache-2.0

import CProbe
import Sealing

/// The competitor `libsodium`: its calls that seal or open one text, with a key in hand.
final class SodiumTexts {
  /// As users call it.
  static let name = "libsodium"

  private let handle: UInt64
  /// Counts how often the first text was sealed.
  private var round: UInt64 = 0

  /// Makes texts as long as ours, at the same places of as many chunks.
  init(_ options: SealingStage.Options) throws {
    handle = cprobe_make_sealer(
      cprobe_texts(
        cipher: options.form.sodiumCipher, count: UInt32(SealingStage.packetCount),
        stride: UInt32(SealingStage.chunkLength), offset: UInt32(options.textStart),
        length: UInt32(options.form.textLength(frame: options.size)),
        key_count: UInt32(options.peers)))
    guard handle != 0 else {
      throw ScenarioError(
        .unavailable, "libsodium has no \(options.form.suite.name) on this machine, or no memory")
    }
  }

  deinit {
    if handle != 0 { cprobe_free_sealer(handle) }
  }

  /// Seals some texts, beginning anew with the first one; returns how many that were.
  func seal(_ texts: Range<Int>) -> Int {
    if texts.lowerBound == 0 { round += 1 }
    return Int(cprobe_seal(handle, UInt32(texts.lowerBound), UInt32(texts.count), round))
  }

  /// Opens some texts, which are sealed; returns how many opened.
  func open(_ texts: Range<Int>) -> Int {
    Int(cprobe_open(handle, UInt32(texts.lowerBound), UInt32(texts.count), round))
  }
}

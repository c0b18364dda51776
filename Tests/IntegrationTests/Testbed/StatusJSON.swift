// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the tests read of `weft status --json`.
struct StatusJSON: Decodable {
  struct Underlay: Decodable {
    let interface: String?
    let method: String
    let method_reason: String
    let mode: String?
    let mtu: Int
    let state: String
  }

  struct Losses: Decodable {
    let attachments, addresses, underlay: Int
  }

  struct Worker: Decodable {
    let frames_free, frames_total: Int
  }

  struct Port: Decodable {
    struct KernelDrops: Decodable {
      let rx_dropped, rx_ring_full, fill_ring_empty, rx_invalid, tx_invalid, missed: UInt64

      var total: UInt64 {
        rx_dropped + rx_ring_full + fill_ring_empty + rx_invalid + tx_invalid + missed
      }
    }

    let interface: String
    let kind: String
    let mode: String
    let reason: String
    let queues: Int
    let received_frames: UInt64
    let sent_frames: UInt64
    let kernel_drops: KernelDrops
  }

  struct Endpoint: Decodable {
    let address: String
    let state: String
    let reason: String
    let source_address: String?
  }

  struct Frames: Decodable {
    let received, generated, copied, sent, punted, dropped, merged, held: UInt64
    let taken_over, handed_over: UInt64
    let balanced: Bool
  }

  struct Drop: Decodable {
    let reason: String
    let frames: UInt64
  }

  struct Mesh: Decodable {
    let peers: Int
    let connections: [String: Int]
    let terminations: UInt64
    let refusals: [String: UInt64]
  }

  let problems: [String]
  let underlay: Underlay
  let overlay_mtu: Int
  let workers: [Worker]
  let ports: [Port]
  let endpoints: [Endpoint]
  let losses: Losses
  let frames: Frames
  let drops: [Drop]
  let mesh: Mesh?

  /// Why the accounts are wrong, or nil if every frame is accounted for and none is held back.
  var imbalance: String? {
    let incoming = frames.received + frames.generated + frames.copied + frames.taken_over
    let outgoing =
      frames.sent + frames.punted + frames.dropped + frames.merged + frames.held
      + frames.handed_over
    let dropped = drops.reduce(0) { $0 + $1.frames }
    if incoming != outgoing { return "\(incoming) frames came in, \(outgoing) went out: \(frames)" }
    if !frames.balanced { return "weftd calls it not balanced: \(frames)" }
    if frames.handed_over != frames.taken_over { return "frames between workers: \(frames)" }
    if frames.held != 0 { return "\(frames.held) frames are held at rest" }
    if dropped != frames.dropped {
      return "\(frames.dropped) frames dropped, \(dropped) with a reason: \(drops)"
    }
    return nil
  }

  /// The drops that happened, for messages.
  var dropsThatHappened: [String] {
    drops.filter { $0.frames > 0 }.map { "\($0.reason) \($0.frames)" }
  }

  /// Frames dropped for a reason.
  func dropped(_ reason: String) -> UInt64 {
    drops.first { $0.reason == reason }?.frames ?? 0
  }

  func port(_ interface: String) -> Port? { ports.first { $0.interface == interface } }
}

/// What the tests read of an attachment, as `weft attach`, `detach` and `ps` write it.
struct AttachmentJSON: Decodable {
  let host_interface: String
  let interface: String
  let netns: String
  let mac: String
  let addresses: [String]
  let state: String
  let detail: String
}

// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding

/// What became of the frames of a replay.
struct ReplayResult {
  /// One port's frames.
  struct Port {
    let name: String
    let counts: PcapPort.Counts
  }

  let account: FrameAccount
  let ports: [Port]

  init(account: FrameAccount, ports: [PcapPort]) {
    self.account = account
    self.ports = ports.map { port in
      let number = port.options.port.number
      let name = port.options.kind == .underlay ? "underlay" : "station \(number)"
      return Port(name: name, counts: port.counts)
    }
  }

  /// Whether every frame has an end, in the worker's books and in the files.
  var isBalanced: Bool {
    account.isBalanced && account.held == 0
      && account.received == ports.reduce(0) { $0 + $1.counts.delivered }
      && account.sent == ports.reduce(0) { $0 + $1.counts.sent }
  }

  /// For people.
  var text: String {
    var lines = ports.map { port in
      let counts = port.counts
      var line = "\(port.name): \(counts.delivered) received, \(counts.sent) sent"
      if counts.cut > 0 { line += ", \(counts.cut) without their ends" }
      if counts.tooLong > 0 { line += ", \(counts.tooLong) left out as too long" }
      return line
    }
    let dropped = account.dropped.reduce(0, +)
    lines.append(
      "frames: \(account.received) received, \(account.copied) copied, \(account.sent) sent, "
        + "\(dropped) dropped, \(account.held) held")
    for reason in DropReason.allCases where account.dropped(reason) > 0 {
      lines.append("  \(account.dropped(reason)) \(reason.identifier): \(reason.sentence)")
    }
    lines.append("balanced: \(isBalanced ? "yes" : "NO")")
    return lines.joined(separator: "\n") + "\n"
  }
}

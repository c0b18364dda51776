// SPDX-License-Identifier: Apache-2.0

package import ControlPlane
import Inet

/// Reports as text for terminals; pure functions, each line ends in a line break.
package enum TextReport {
  /// `weft status`: the daemon in labelled lines, then its workers, ports, endpoints and drops.
  package static func text(_ status: StatusReport) -> String {
    let sections = [
      overview(status), section("Workers", workers(status.workers)),
      section("Ports", ports(status.ports)), section("Endpoints", endpoints(status.endpoints)),
      section("Drops", drops(status.drops)),
    ]
    return lines(Array(sections.filter { !$0.isEmpty }.joined(separator: [""])))
  }

  /// `weft ps`: one line per container, `NAMESPACE MAC ADDRESS/LENGTH...`, without a title.
  ///
  /// A namespace that has a name is shown by it; an attachment that is down says so at the end of
  /// its line.
  package static func text(_ attachments: [AttachmentReport]) -> String {
    var table = TextTable([.left, .left, .left], separator: " ")
    for attachment in attachments {
      var last = attachment.addresses.map(\.description)
      if attachment.state == .down {
        last.append(attachment.detail.isEmpty ? "down" : "down: \(attachment.detail)")
      }
      let cells = [ContainerNamespace.label(attachment.netns), attachment.mac.description]
      table.append(cells + [last.joined(separator: " ")])
    }
    return lines(table.lines())
  }

  /// `weft status macs`: one line per learned address.
  package static func text(_ macs: [MACReport]) -> String {
    var table = TextTable(columns: [("MAC", .left), ("LOCATION", .left), ("AGE", .right)])
    for entry in macs {
      table.append([entry.mac.description, entry.location, duration(entry.ageSeconds)])
    }
    return lines(table.lines())
  }

  /// What Weave prints for attach and detach: addresses without their prefix length, on one line.
  package static func addresses(_ reports: [AttachmentReport]) -> String {
    let addresses = reports.flatMap(\.addresses).map(\.address.description)
    return addresses.isEmpty ? "" : addresses.joined(separator: " ") + "\n"
  }

  static func lines(_ lines: [String]) -> String {
    lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ title: String, _ table: TextTable) -> [String] {
    let lines = table.lines(indent: "  ")
    return lines.count > 1 ? [title] + lines : []
  }
}

extension TextReport {
  private static func overview(_ status: StatusReport) -> [String] {
    var table = TextTable([.right, .left], separator: " ")
    let parts = daemon(status) + underlay(status) + mesh(status.mesh) + totals(status)
    for (label, value) in parts {
      table.append([label.isEmpty ? "" : "\(label):", value])
    }
    return table.lines()
  }

  private static func daemon(_ status: StatusReport) -> [(String, String)] {
    [
      ("Version", status.version), ("Host", status.hostName),
      ("Uptime", duration(status.uptimeSeconds)),
    ] + status.problems.map { ("Problem", $0) } + [("", "")]
  }

  private static func underlay(_ status: StatusReport) -> [(String, String)] {
    let underlay = status.underlay
    let overlay = "overlay \(status.overlayMTU) B"
    let vxlan = [("VXLAN", "UDP port \(underlay.vxlanPort)"), ("", "")]
    guard let interface = underlay.interface else {
      return [("Underlay", "any interface"), ("Mode", mode(of: underlay)), ("MTU", overlay)] + vxlan
    }
    return [
      ("Underlay", "\(interface), \(underlay.state.rawValue)"), ("Mode", mode(of: underlay)),
      ("MTU", "\(underlay.mtu) B, \(overlay)"), ("Addresses", list(underlay.addresses)),
    ] + vxlan
  }

  private static func mode(of underlay: UnderlayReport) -> String {
    func because(_ reason: String) -> String { reason.isEmpty ? "" : " (\(reason))" }
    if underlay.method == .socket { return "sockets" + because(underlay.methodReason) }
    guard let mode = underlay.mode else { return "-" }
    return "\(mode.rawValue), \(underlay.zeroCopy ? "zero-copy" : "copy")"
      + because(underlay.reason)
  }

  private static func totals(_ status: StatusReport) -> [(String, String)] {
    let frames = status.frames
    let macs = status.macs
    let losses = status.losses
    let between = frames.handedOver == 0 ? "" : ", \(frames.handedOver) handed between workers"
    return [
      (
        "Frames",
        "\(frames.received) received, \(frames.generated) generated, \(frames.copied) copied"
      ),
      (
        "",
        "\(frames.sent) sent, \(frames.punted) punted, \(frames.dropped) dropped, "
          + "\(frames.merged) merged, \(frames.held) held\(between)"
      ),
      ("Balanced", frames.balanced ? "yes" : "no"),
      (
        "MACs",
        "\(macs.count) of \(macs.limit), \(macs.learned) learned, \(macs.moved) moved, "
          + "\(macs.aged) aged, \(macs.refused) refused"
      ),
      (
        "Lost",
        "\(losses.attachments) attachments, \(losses.addresses) addresses, "
          + "underlay \(losses.underlay) times"
      ),
    ] + budget(status.budget)
  }

  private static func budget(_ budget: BudgetReport) -> [(String, String)] {
    let (kernel, frames) = (budget.kernel, budget.frames)
    return [
      (
        "Budget",
        "about \(bytes(kernel.bytes)) of kernel memory for \(kernel.queues) queues, "
          + "\(bytes(kernel.bytesPerQueue)) each; \(kernel.portsLeft) more ports fit in "
          + bytes(kernel.limit)
      ),
      (
        "",
        "\(frames.perWorker) chunks a worker: \(frames.fillRings) on fill rings at rest, "
          + "\(frames.batch) in a batch, \(frames.left) for bursts and what is sent"
      ),
    ]
  }

  private static func list(_ addresses: [IPv4Prefix]) -> String {
    addresses.isEmpty ? "none" : addresses.map(\.description).joined(separator: " ")
  }
}

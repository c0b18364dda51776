// SPDX-License-Identifier: Apache-2.0

package import ControlPlane

/// `weft trace`: one paragraph for each frame, a line for each stage.
extension TextReport {
  /// The frames of a trace, or that there are none.
  package static func text(_ trace: TraceReport) -> String {
    var lines = trace.frames.enumerated().flatMap { [""] + paragraph($0.offset + 1, $0.element) }
    lines = Array(lines.dropFirst())
    if trace.frames.isEmpty { lines = ["no such frame came"] }
    if trace.lost > 0 {
      lines += ["", "\(trace.lost) more were lost: the workers were faster than they were read"]
    }
    return self.lines(lines)
  }

  private static func paragraph(_ number: Int, _ frame: TraceReport.Frame) -> [String] {
    let name = TextTable.printable(frame.port)
    let behind =
      switch frame.kind {
      case .underlay: ""
      case .host: " (host)"
      case .container:
        frame.netns.map { " (\(TextTable.printable(ContainerNamespace.label($0))))" } ?? ""
      }
    let head =
      "#\(number)  worker \(frame.worker)  \(milliseconds(frame.milliseconds)) ms  "
      + "\(frame.length) bytes from \(name)\(behind)"
    var table = TextTable([.left, .left])
    for step in frame.steps {
      table.append([step.stage == "end" ? frame.end.rawValue : step.stage, step.text])
    }
    return [head] + table.lines(indent: "    ", minimum: [11])
  }

  /// Three decimals, whatever the number.
  private static func milliseconds(_ number: Double) -> String {
    let clamped = number.isFinite ? min(max(number, 0), 1e12) : 0
    let micros = UInt64((clamped * 1000).rounded())
    let rest = String(micros % 1000)
    return "\(micros / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }
}

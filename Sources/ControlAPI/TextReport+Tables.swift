// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Inet

/// The tables of `weft status`; one without rows is left out.
extension TextReport {
  static func workers(_ workers: [WorkerReport]) -> TextTable {
    var table = TextTable(columns: [
      ("INDEX", .right), ("CORE", .right), ("IDLE", .left), ("STATE", .left), ("LOAD", .right),
      ("BREATHS", .right), ("IDLE BREATHS", .right), ("FREE FRAMES", .right),
    ])
    for worker in workers {
      table.append([
        "\(worker.index)", "\(worker.core)", worker.idle.rawValue, worker.state.rawValue,
        "\(worker.loadPercent) %", "\(worker.breaths)", "\(worker.idleBreaths)",
        "\(worker.framesFree) of \(worker.framesTotal)",
      ])
    }
    return table
  }

  static func ports(_ ports: [PortReport]) -> TextTable {
    var table = TextTable(columns: [
      ("INDEX", .right), ("INTERFACE", .left), ("KIND", .left), ("QUEUES", .right),
      ("RECEIVED", .right), ("BYTES", .right), ("SENT", .right), ("BYTES", .right),
      ("KERNEL DROPS", .right), ("MODE", .left),
    ])
    for port in ports {
      let because = port.reason.isEmpty ? "" : " (\(port.reason))"
      table.append([
        "\(port.index)", port.interface, port.kind.rawValue, "\(port.queues)",
        "\(port.receivedFrames)", bytes(port.receivedBytes), "\(port.sentFrames)",
        bytes(port.sentBytes), "\(port.kernelDrops.total)",
        "\(port.mode.rawValue), \(port.zeroCopy ? "zero-copy" : "copy")\(because)",
      ])
      if let faults = port.faults {
        let row = Array(repeating: "", count: table.columnCount - 1)
        table.append(row + ["FAULTS ON PURPOSE: \(faults)"])
      }
    }
    return table
  }

  static func endpoints(_ endpoints: [EndpointReport]) -> TextTable {
    var table = TextTable(columns: [
      ("ADDRESS", .left), ("VNI", .right), ("PORT", .right), ("STATE", .left),
      ("NEXT HOP", .left), ("INTERFACE", .left), ("SOURCE", .left), ("REASON", .left),
    ])
    for endpoint in endpoints {
      table.append([
        endpoint.address.description, "\(endpoint.vni)", "\(endpoint.port)",
        endpoint.state.rawValue, endpoint.nextHopMAC?.description ?? "-",
        endpoint.outInterface ?? "-", endpoint.sourceAddress?.description ?? "-",
        endpoint.reason,
      ])
    }
    return table
  }

  /// Only reasons that happened; the JSON has all of them.
  static func drops(_ drops: [DropReport]) -> TextTable {
    var table = TextTable(columns: [
      ("FRAMES", .right), ("REASON", .left), ("MEANING", .left),
    ])
    for drop in drops where drop.frames > 0 {
      table.append(["\(drop.frames)", drop.reason, drop.sentence])
    }
    return table
  }
}

/// Numbers with units.
extension TextReport {
  /// `1.2 GiB`: binary prefixes and one decimal, rounded down; below 1 KiB whole bytes.
  static func bytes(_ count: UInt64) -> String {
    guard count >= 1024 else { return "\(count) B" }
    let power = (63 - count.leadingZeroBitCount) / 10
    let unit = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][power - 1]
    let shift = UInt64(power * 10)
    let rest = count & (1 << shift - 1)
    // The rest's ten leading bits are enough for one decimal, and times ten they still fit.
    let tenths = ((rest >> (shift - 10)) * 10) >> 10
    return "\(count >> shift).\(tenths) \(unit)"
  }

  /// `1d 2h 3m 4s`, from the first unit that is not zero.
  static func duration(_ seconds: UInt64) -> String {
    let parts = [
      (seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"),
      (seconds % 60, "s"),
    ]
    let shown = parts.drop { $0.0 == 0 }
    return shown.isEmpty ? "0s" : shown.map { "\($0.0)\($0.1)" }.joined(separator: " ")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Foundation
import HostNetwork

/// Many ports besides the two busy ones.
extension WeftHost {
  /// Opens a port for each of a crowd; returns how many seconds each took.
  func serve(_ crowd: Crowd, in run: ScenarioRun) throws -> [Double] {
    let links = crowd.links
    let engine = try engine()
    return try inBatches(of: links.count, in: run) { [self] number in
      try engine.openPort(
        specification(links[number], port: WeftHost.crowdPort(number), kind: .station))
    } progress: {
      "\($0) of \(links.count) ports are open"
    }
  }

  /// Has each of a crowd, which is served, send a little, and waits until all of it was received.
  func hear(_ crowd: Crowd, in run: ScenarioRun) throws {
    let before = FrameAccount(values: try counters()).received
    let wanted = try before + UInt64(crowd.announce())
    for _ in 0..<1000 {
      guard FrameAccount(values: try counters()).received < wanted else { return }
      try run.wait(seconds: 0.03)
    }
    let received = FrameAccount(values: try counters()).received
    throw ScenarioError(
      .failed, "the ports got \(received - before) of \(wanted - before) frames sent to them")
  }

  /// Asks for the state of each port of a crowd, as a status does; returns seconds for each.
  func look(at crowd: Crowd, in run: ScenarioRun) throws -> [Double] {
    let engine = try engine()
    return try inBatches(of: crowd.links.count, in: run) { number in
      guard engine.state(of: WeftHost.crowdPort(number)) != nil else {
        throw ScenarioError(.failed, "port \(number) of the crowd is not open")
      }
    } progress: { _ in
      nil
    }
  }

  /// Closes the ports of a crowd; returns how many seconds each took.
  func leave(_ crowd: Crowd, in run: ScenarioRun) throws -> [Double] {
    let engine = try engine()
    return try inBatches(of: crowd.links.count, in: run) { number in
      if let error = engine.closePort(WeftHost.crowdPort(number)).first { throw error }
    } progress: {
      "\($0) of \(crowd.links.count) ports are closed"
    }
  }

  /// Does something for each of `count` ports inside of the host's room, and measures each time.
  private func inBatches(
    of count: Int, in run: ScenarioRun, _ body: @escaping @Sendable (Int) throws -> Void,
    progress: (Int) -> String?
  ) throws -> [Double] {
    var times: [Double] = []
    for first in stride(from: 0, to: count, by: Crowd.batch) {
      try run.check()
      let numbers = first..<min(first + Crowd.batch, count)
      let batch = try options.room.visit {
        try numbers.map { number in
          let started = Stopwatch.now
          try body(number)
          return Double(Stopwatch.now - started) / 1e9
        }
      }
      times += batch
      guard let line = progress(times.count) else { continue }
      let each = batch.reduce(0, +) / Double(batch.count) * 1e3
      run.report(line + String(format: ", the last %d in %.2f ms each", batch.count, each))
    }
    return times
  }

  private static func crowdPort(_ number: Int) -> PortIndex { PortIndex(UInt16(2 + number)) }
}

// SPDX-License-Identifier: Apache-2.0

import CLaboratory
import Foundation
import Glibc
import Inet
import Synchronization

/// Small datagrams from the first container to the second and back, one at a time.
///
/// Both ends go before all ordinary threads of their cores, so that a worker that spins on the same
/// core does not keep them waiting.
final class Echo: Sendable {
  private let hosts: TwoHosts
  private let cores: LaboratoryCores
  private let run: ScenarioRun
  private let question: Int32
  private let answer: Int32

  private static let port: UInt16 = 7
  /// Ethernet, IPv4 and UDP headers.
  static let headersLength = 14 + 20 + 8

  /// Opens a socket in each container.
  init(between hosts: TwoHosts, cores: LaboratoryCores, in run: ScenarioRun) throws {
    self.hosts = hosts
    self.cores = cores
    self.run = run
    let sockets = try hosts.sides.enumerated().map { number, side in
      let (local, remote) = (side.address.bits, hosts.sides[1 - number].address.bits)
      return try side.container.visit {
        claboratory_open_datagrams(local, remote, Echo.port)
      }
    }
    (question, answer) = (sockets[0], sockets[1])
    guard question >= 0, answer >= 0 else {
      throw ScenarioError(.failed, "latency: the datagrams' sockets cannot be opened")
    }
  }

  /// Sends frames of `size` for this long, at least 16, with a pause in between, and gives how long
  /// each was under way there and back, in nanoseconds; those that were lost are not among them.
  func times(size: Int, pause: Double, seconds: Double) throws -> Times {
    let ending = Flag()
    let (answer, run) = (self.answer, self.run)
    let echo = Errand(in: hosts.sides[1].container, core: cores.worker) {
      _ = claboratory_go_first()
      while !ending.isSet, !run.interruption.isRequested {
        let count = claboratory_echo(answer, Stopwatch.now + 50_000_000)
        guard count >= 0 else { throw Echo.error("echo", count) }
      }
    }
    let (question, length) = (self.question, UInt32(size - Echo.headersLength))
    let asking = Errand(in: hosts.sides[0].container, core: cores.generator) {
      _ = claboratory_go_first()
      return try Echo.ask(question, length, pause: pause, seconds: seconds, in: run)
    }
    let result = Result { try asking.wait() }
    ending.set()
    try echo.wait()
    return try result.get()
  }

  private static func ask(
    _ socket: Int32, _ length: UInt32, pause: Double, seconds: Double, in run: ScenarioRun
  ) throws -> Times {
    var times = Times()
    let end = Stopwatch.now + UInt64(seconds * 1e9)
    while Stopwatch.now < end || times.sent < 16 {
      try run.check()
      if pause > 0 { usleep(UInt32(pause * 1e6)) }
      times.sent += 1
      let time = claboratory_ping(socket, UInt64(times.sent), length)
      if time == -Int64(ETIMEDOUT) { continue }
      guard time >= 0 else { throw error("send", time) }
      times.nanoseconds.append(Double(time))
    }
    return times
  }

  private static func error(_ call: String, _ result: Int64) -> ScenarioError {
    ScenarioError(.failed, "latency: \(call): errno \(-result)")
  }

  func close() {
    Glibc.close(question)
    Glibc.close(answer)
  }
}

extension Echo {
  /// How long datagrams took.
  struct Times: Equatable, Sendable {
    /// Datagrams sent.
    var sent = 0
    /// How long those took that came back.
    var nanoseconds: [Double] = []

    /// The middle one; nil if none came back.
    var median: Double? { Spread(nanoseconds)?.median }

    /// The time within which this share of them came back; nil if none did.
    func within(_ share: Double) -> Double? {
      let sorted = nanoseconds.sorted()
      guard !sorted.isEmpty else { return nil }
      return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
  }
}

/// Says once, from one thread to another, that something is over.
private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  var isSet: Bool { value.load(ordering: .relaxed) }

  func set() { value.store(true, ordering: .relaxed) }
}

// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh

/// What goes wrong with hosts and paths.
extension World {
  /// The process ends; its kernel tells the other ends of its links.
  func stop(_ number: Int) {
    let ends = hosts[number].ends.sorted { $0.key.number < $1.key.number }.map(\.value)
    for end in ends {
      shut(end)
      reset(end.other)
    }
    leave(number, .stopped)
  }

  /// The host is gone and nobody is told.
  func darken(_ number: Int) {
    for end in hosts[number].ends.values { network.sessions[end.session][end.side].isOpen = false }
    leave(number, .dark)
  }

  private func leave(_ number: Int, _ life: Life) {
    hosts[number].life = life
    hosts[number].incarnation += 1
    hosts[number].ends = [:]
    hosts[number].dialing = []
    hosts[number].live = []
    hosts[number].deadlineAt = nil
    hosts[number].backlog = nil
    hosts[number].established = []
    hosts[number].version = 0
    directories[number] = nil
  }

  /// The peer starts anew, with another UID.
  func start(_ number: Int, connectedTo others: [Int]) {
    hosts[number].options.uid = random.next() | 1
    hosts[number].machine = machine(hosts[number].options)
    hosts[number].life = .up
    connect(number, to: others)
  }

  /// Hosts hear only those of their own part from now on.
  func divide(_ part: (Int) -> Int) {
    for number in hosts.indices { conditions.parts[number] = part(number) }
  }

  /// Everybody can be heard again.
  func heal() {
    conditions.parts = [:]
    unstick()
  }

  /// A host's clock leaps ahead, as after a sleep.
  func leap(_ number: Int, by duration: Duration) {
    hosts[number].clockLead += duration
    give(.deadline, to: number)
  }

  /// A host does nothing for some time; what comes waits for it.
  func stall(_ number: Int, for duration: Duration) {
    guard hosts[number].backlog == nil else { return }
    hosts[number].backlog = []
    schedule(
      .wakeUp(host: number, incarnation: hosts[number].incarnation), after: duration)
  }

  func wakeUp(_ number: Int) {
    guard let backlog = hosts[number].backlog else { return }
    hosts[number].backlog = nil
    // The clock is looked at before or after what waited.
    let isClockFirst = chance(of10000: 5000)
    if isClockFirst { give(.deadline, to: number) }
    for input in backlog { give(input, to: number) }
    give(.deadline, to: number)
  }
}

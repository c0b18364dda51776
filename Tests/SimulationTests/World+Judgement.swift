// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh

/// What has to be true after every event, whatever the network does.
extension World {
  /// All of it looks at one machine only.
  ///
  /// What costs a walk over everybody it knows is done when
  /// `forwarding` changed, and otherwise after every 64th event.
  func judge(
    _ number: Int, _ input: MeshInput, _ effects: [MeshEffect], clock: MeshInstant,
    before: MeshForwarding
  ) {
    judgeLinks(number, input, effects)
    judgeVersion(number)
    judgeMemory(number)
    let after = hosts[number].machine.forwarding
    let isTold = effects.contains(.forwardingChanged)
    expect(isTold == (before != after), number, "a change of forwarding is told, nothing else")
    if isTold {
      judgeForwarding(number, after)
      judgeKeys(number, after)
      judgeChoices(number, effects, before: before, after: after)
    }
    if isTold || eventCount % 64 == 0 { judgeNames(number) }
    if case .deadline = input, let next = hosts[number].machine.nextDeadline {
      expect(next > clock, number, "nothing is due any more after a deadline")
    }
  }

  func expect(_ isTrue: Bool, _ number: Int, _ rule: @autoclosure () -> String) {
    guard !isTrue, problem == nil else { return }
    problem = "host \(number) broke the rule: \(rule())"
  }

  /// Effects name only links that are open, as the machine was told.
  private func judgeLinks(_ number: Int, _ input: MeshInput, _ effects: [MeshEffect]) {
    switch input {
    case .accepted(let link, _, _), .dialed(let link, _, _): hosts[number].live.insert(link)
    case .closed(let link, _): hosts[number].live.remove(link)
    default: break
    }
    for effect in effects {
      switch effect {
      case .send(let link, _):
        expect(hosts[number].live.contains(link), number, "\(link) is open when it is sent on")
      case .close(let link):
        let isOpen = hosts[number].live.remove(link) != nil
        expect(isOpen, number, "\(link) is open when it is closed")
      default: break
      }
    }
  }

  private func judgeVersion(_ number: Int) {
    let version = hosts[number].machine.topology.own.version
    expect(version >= hosts[number].version, number, "its own version never goes back")
    hosts[number].version = version
  }

  private func judgeMemory(_ number: Int) {
    let machine = hosts[number].machine
    let dialing = machine.maker.candidates.count
    expect(machine.strangers.waiting.count <= Strangers.countMax, number, "few strangers")
    expect(
      machine.connections.count <= machine.linkOfPeer.count + Strangers.countMax + dialing, number,
      "few sessions")
    expect(machine.linkOfPeer.count <= machine.options.connectionCountMax, number, "the limit")
    expect(
      dialing <= ConnectionMaker.discoveredCountMax + machine.maker.targets.count, number,
      "few candidates")
    expect(machine.seen.count <= SeenPayloads.countMax, number, "few payloads remembered")
  }

  private func judgeForwarding(_ number: Int, _ forwarding: MeshForwarding) {
    let usable = Set(forwarding.neighbours.filter(\.isEstablished).map(\.name))
    let named = forwarding.peers.flatMap { $0.broadcast + [$0.nextHop].compactMap(\.self) }
    expect(
      usable.isSuperset(of: named + forwarding.broadcast), number, "next hops are neighbours")
  }

  /// Whatever carries frames from now on instead of something else is noted; that it is the first
  /// is among the lines of which a log takes only so many a second.
  private func judgeChoices(
    _ number: Int, _ effects: [MeshEffect], before: MeshForwarding, after: MeshForwarding
  ) {
    let former = Dictionary(
      before.neighbours.map { ($0.connectionUID, $0.chosen) }, uniquingKeysWith: { one, _ in one })
    for neighbour in after.neighbours {
      guard let chosen = neighbour.chosen, let known = former[neighbour.connectionUID] ?? nil,
        chosen != known
      else { continue }
      let isNoted = effects.contains { effect in
        guard case .note(let note) = effect, note.text == "overlay changed" else { return false }
        return note.details["peer"] == neighbour.name.description
          && note.details["from"] == known.rawValue && note.details["to"] == chosen.rawValue
          && note.details["reason"]?.isEmpty == false
      }
      expect(isNoted, number, "a change of the overlay is noted")
    }
  }

  private func judgeNames(_ number: Int) {
    let known = hosts[number].machine.topology.peers.keys
    expect(known.allSatisfy(names.contains), number, "only names that somebody had are known")
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Who deals with the messages of a channel.
enum GossipChannel: Hashable, Sendable {
  /// Who is there, and connected with whom.
  case topology
  /// A channel that we do not speak, whose messages are passed on as they are.
  case surrogate(String)

  /// Those that have a state of their own, which is told to others.
  static let spoken: [GossipChannel] = [.topology]

  /// Finds the channel of a name.
  init(name: String) {
    self = GossipChannel.spoken.first { $0.name == name } ?? .surrogate(name)
  }

  /// The name on the wire.
  var name: String {
    switch self {
    case .topology: "topology"
    case .surrogate(let name): name
    }
  }
}

/// A message of a channel that cannot be used: it ends the connection that it came over.
struct GossipError: Error, Equatable, CustomStringConvertible {
  /// The channel's name; empty if not even that can be read.
  var channel: String
  /// What is wrong.
  var problem: String

  /// A sentence for people.
  var description: String {
    channel.isEmpty
      ? "its gossip cannot be read: \(problem)" : "its gossip on channel \(channel): \(problem)"
  }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane

/// `weft status`.
struct Status: AsyncParsableCommand {
  /// A part of the status that is printed on its own.
  enum Topic: String, ExpressibleByArgument, CaseIterable {
    /// The MAC table.
    case macs
    /// Who is connected with whom.
    case peers
    /// How each peer is reached.
    case connections
    /// Whom to be connected with.
    case targets
  }

  static let configuration = CommandConfiguration(
    abstract: "Show what weftd does: underlay, mesh, workers, ports, endpoints, drops.",
    discussion: """
      What is wrong with the host stands after 'Problem', with what to do about it.

      Counters run since weftd started. 'Balanced' says whether every frame that came in is \
      accounted for. Drop reasons that never happened are left out of the text; the JSON has all.

      With 'macs': where each known MAC address is, and how long ago it was last seen.

      With 'connections': how each peer of the mesh is reached, or why it is not. An arrow to \
      the right stands for a connection that this host dialled, or is to dial. STATE is one of

        established  frames pass, by the way in OVERLAY, up to MTU bytes
        pending      there is a session; a way for frames is being looked for
        connecting   is being dialled for the first time
        retrying     is being dialled again; REMARK says what went wrong
        failed       could not be dialled; REMARK says why, and when it is again
        waiting      will be dialled; REMARK says when
        suspended    is not dialled: it is connected, or the limit is reached
        relayed      has no connection; frames go through the peer in REMARK
        unreachable  has no connection, and no way leads there through others

      ENCRYPTED names how frames are sealed, and KEY AGE how long they have been with the key of \
      now; packets that were refused are below. The JSON has the counts (security).

      With 'peers': every peer with its connections, as it tells of them, in Weave's form.

      With 'targets': the peers of the configuration and of 'weft connect', as typed.

      EXAMPLES
        weft status
        weft status macs
        weft status connections
        weft status connections --json | jq '.[] | select(.state != "established")'
        weft status connections --json | jq '.[] | [.peer.nickname, .security]'
        weft status --json | jq .frames

      EXIT CODES
        0     shown
        1     weftd failed, or has no mesh to tell of
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @Argument(help: "A part to show instead of the whole.")
  var topic: Topic?

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    switch topic {
    case .macs:
      try await connection.show(
        { client throws(ControlClientError) in try await client.macs() },
        as: { TextReport.text($0) })
    case .peers:
      try await connection.show(
        { client throws(ControlClientError) in try await client.peers() },
        as: WeaveText.peers)
    case .connections:
      try await connection.show(
        { client throws(ControlClientError) in try await client.connections() },
        as: { TextReport.text($0) })
    case .targets:
      try await connection.show(
        { client throws(ControlClientError) in try await client.targets() },
        as: WeaveText.targets)
    case nil:
      try await connection.show(
        { client throws(ControlClientError) in try await client.status() },
        as: { TextReport.text($0) })
    }
  }
}

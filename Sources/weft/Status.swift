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
  }

  static let configuration = CommandConfiguration(
    abstract: "Show what weftd does: underlay, workers, ports, endpoints, drops.",
    discussion: """
      What is wrong with the host stands after 'Problem', with what to do about it.

      Counters run since weftd started. 'Balanced' says whether every frame that came in is \
      accounted for. Drop reasons that never happened are left out of the text; the JSON has all.

      With 'macs': where each known MAC address is, and how long ago it was last seen.

      EXAMPLES
        weft status
        weft status macs
        weft status --json | jq .frames

      EXIT CODES
        0     shown
        1     weftd failed
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
    case nil:
      try await connection.show(
        { client throws(ControlClientError) in try await client.status() },
        as: { TextReport.text($0) })
    }
  }
}

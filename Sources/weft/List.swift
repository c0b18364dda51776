// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane

/// `weft ps`.
struct List: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps",
    abstract: "List the containers on the overlay.",
    discussion: """
      One line per container: its network namespace, its MAC address and its addresses. A \
      namespace in /run/netns is shown by its name. A line ends in 'down' and the reason if no \
      frame passes. Containers whose interface is gone are not listed.

      EXAMPLE
        $ weft ps
        c1       02:00:00:00:00:0a 10.32.0.1/12
        pid 4242 02:00:00:00:00:0b 10.32.0.2/12 192.168.7.2/24

      EXIT CODES
        0     listed
        1     weftd failed
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    try await connection.show(
      { client throws(ControlClientError) in try await client.attachments() },
      as: { TextReport.text($0) })
  }
}

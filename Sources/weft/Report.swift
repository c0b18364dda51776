// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI

/// `weft report`.
struct Report: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the state of the mesh as JSON, with the fields of Weave's report.",
    discussion: """
      For programs that read the report of Weave Net's router: the same fields, of which the part \
      'Router' is filled. Go templates are not known; take jq. 'weft status' tells people more.

      EXAMPLES
        weft report
        weft report | jq -r .Router.Name
        weft report | jq '.Router.Peers | length'

      EXIT CODES
        0     printed
        1     weftd failed, or has no mesh to tell of
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @Flag(help: "Print JSON; there is no other form.")
  var json = false

  @OptionGroup var daemon: SocketOptions

  func run() async throws {
    let report = try await daemon.ask { client throws(ControlClientError) in
      try await client.report()
    }
    print(report, terminator: "")
  }
}

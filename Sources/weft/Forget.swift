// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane

/// `weft forget`.
struct Forget: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Have this host dial peers of the mesh no more.",
    usage: "weft forget [--socket <path>] <peer> ...",
    discussion: """
      A connection that there is stays, and a peer that others know may be found through them \
      again. Peers are named as they were for 'weft connect' or in the configuration; 'weft \
      status targets' lists them. One that is not among them is not minded.

      EXAMPLES
        weft forget host-b
        weft forget 192.0.2.2 192.0.2.3:6784

      EXIT CODES
        0     weftd dials them no more
        1     weftd refused, as without a mesh, or failed
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @Argument(help: ArgumentHelp("Peers as they were named before.", valueName: "peer"))
  var peers: [String]

  @OptionGroup var daemon: SocketOptions

  private var request: ForgetRequest { ForgetRequest(targets: peers) }

  func validate() throws {
    try Reading.check(request.check)
  }

  func run() async throws {
    let request = request
    try await daemon.ask { client throws(ControlClientError) in try await client.forget(request) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane

/// `weft connect`.
struct Connect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Have this host be connected with other peers of the mesh.",
    usage: "weft connect [--replace] [--socket <path>] <peer> ...",
    discussion: """
      weftd dials the peers from now on, as well as those before, and again and again while one \
      does not answer. Peers that they know are found through them. Returns at once; 'weft status \
      connections' shows what became of it.

      What is said here holds until weftd ends or reloads its configuration, which lists the \
      peers to begin with (mesh.peers).

      EXAMPLES
        weft connect host-b
        weft connect 192.0.2.2 192.0.2.3:6784
        weft connect --replace host-c

      EXIT CODES
        0     weftd will dial them
        1     weftd refused, as without a mesh, or failed
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @Flag(help: "Dial only these, and no others that were named before.")
  var replace = false

  @Argument(
    help: ArgumentHelp(
      "Names or IPv4 addresses of hosts, each with its port if it is another than ours.",
      valueName: "peer"))
  var peers: [String]

  @OptionGroup var daemon: SocketOptions

  private var request: ConnectRequest { ConnectRequest(targets: peers, isReplacing: replace) }

  func validate() throws {
    try Reading.check(request.check)
  }

  func run() async throws {
    let request = request
    try await daemon.ask { client throws(ControlClientError) in try await client.connect(request) }
  }
}

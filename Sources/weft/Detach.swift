// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane
import Inet

/// `weft detach`.
struct Detach: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take addresses, or the whole interface, from a container.",
    usage: """
      weft detach (--netns <path> | --pid <n>) [--socket <path>] [--json] [<address/len> ...]
      """,
    discussion: """
      Without addresses all are taken. The interface goes with the last one. Prints what was \
      taken away, separated by spaces and without prefix lengths.

      EXAMPLES
        weft detach --netns c1
        weft detach --pid 4242 192.168.7.2/24

      EXIT CODES
        0     detached
        1     weftd refused or failed
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @OptionGroup var namespace: NamespaceOptions

  @Argument(
    help: ArgumentHelp(
      "The addresses to take away, each with its prefix length; none for all.",
      valueName: "address/len"), transform: Reading.prefix)
  var addresses: [IPv4Prefix] = []

  @OptionGroup var connection: ConnectionOptions

  private var request: DetachRequest {
    DetachRequest(netns: namespace.netns, pid: namespace.pid, addresses: addresses)
  }

  func validate() throws {
    try Reading.check(request.validated)
  }

  func run() async throws {
    let request = request
    try await connection.show(
      { client throws(ControlClientError) in try await client.detach(request) },
      as: TextReport.addresses)
  }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane
import Inet

/// `weft attach`.
struct Attach: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give a container an interface with addresses in the overlay.",
    usage: """
      weft attach (--netns <path> | --pid <n>) [--mac <mac>] [--interface <name>]
        [--socket <path>] [--json] <address/len> ...
      """,
    discussion: """
      Makes a veth pair with one end in the container's network namespace and prints the \
      addresses, separated by spaces and without their prefix length. A container that is \
      attached already gets the addresses in addition.

      EXAMPLES
        weft attach --netns c1 10.32.0.1/12
        weft attach --pid 4242 10.32.0.2/12 192.168.7.2/24
        weft attach --netns c2 --interface eth1 10.32.0.3/12

      EXIT CODES
        0     attached
        1     weftd refused or failed
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @OptionGroup var namespace: NamespaceOptions

  @Option(
    help: ArgumentHelp("The interface's MAC address; else one is made.", valueName: "mac"),
    transform: Reading.mac)
  var mac: MACAddress?

  @Option(
    help: ArgumentHelp("The interface's name in the container, up to 15 bytes.", valueName: "name"))
  var interface: String?

  @Argument(
    help: ArgumentHelp(
      "One to eight addresses, each with its subnet's prefix length.", valueName: "address/len"),
    transform: Reading.prefix)
  var addresses: [IPv4Prefix]

  @OptionGroup var connection: ConnectionOptions

  private var request: AttachRequest {
    AttachRequest(
      netns: namespace.netns, pid: namespace.pid, addresses: addresses, mac: mac,
      interface: interface)
  }

  func validate() throws {
    try Reading.check(request.validated)
  }

  func run() async throws {
    let request = request
    // What was asked for is what is printed: the report lists earlier addresses too.
    try await connection.show { client throws(ControlClientError) in
      try await client.attach(request)
    } as: { _ in
      request.addresses.map(\.address.description).joined(separator: " ") + "\n"
    }
  }
}

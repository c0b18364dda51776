// SPDX-License-Identifier: Apache-2.0

// The command-line tool: each command is one request to weftd and one answer printed.
//
// `Weft` lists the commands; `Attach`, `Detach`, `List`, `Connect`, `Forget`, `Status`, `Report`,
// `Trace` and `ShowVersion` are one file each, `ConnectionOptions` and `NamespaceOptions` what they
// share. `Failure` is the one place that turns errors into a sentence and an exit code.

import ArgumentParser
import ControlPlane

@main
struct Weft: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weft",
    abstract: "Join containers to the overlay network of this host's weftd.",
    discussion: """
      Each command sends one request to weftd over its unix socket and prints the answer. Most \
      need root, since the socket is weftd's own.

      EXAMPLES
        ip netns add c1
        weft attach --netns c1 10.32.0.1/12
        weft ps
        weft connect host-b
        weft status connections
        weft status
        weft trace --port c1
        weft detach --netns c1

      ENVIRONMENT
        WEFT_SOCKET    path of weftd's socket; --socket goes before it

      FILES
        /run/weft/weft.sock    weftd's socket
        /run/netns/NAME        network namespaces that have a name

      EXIT CODES
        0     the command did what it says
        1     weftd refused the request or failed at it
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """,
    version: "weft \(Version.text)",
    subcommands: [
      Attach.self, Detach.self, List.self, Connect.self, Forget.self, Status.self, Report.self,
      Trace.self, ShowVersion.self,
    ])
}

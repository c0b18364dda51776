// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane
import Inet

/// `weft trace`.
struct Trace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follow the next frames through the data plane: where they go, or why they do not.",
    usage: """
      weft trace [-n <count>] [--port <name>] [--mac <mac>] [--seconds <n>]
        [--socket <path>] [--json]
      """,
    discussion: """
      Waits for the next frames that come in on this host, and prints for each what every stage \
      of the data plane said of it. Ends when there are as many as asked for, or when the time \
      is over. Frames are neither held up nor changed, and one trace runs at a time.

      The first line of a frame names the worker that had it, the time since the trace began, \
      the length as received and the port it came in at. Then, as far as it got:

        open         the outer headers of a frame from another host
        parse        who sends to whom, and what
        learn        whether the sender is where it is known to be
        look up      where the receiver is; group addresses and stations that are not known go \
      to everybody
        encapsulate  the endpoint it leaves for, and its length with outer headers
        sent         the port it left by
        flooded      how many received it, and whether a copy was lost
        dropped      why; the identifier in brackets is that of 'weft status'

      A frame that does not show up never came to a worker: see KERNEL DROPS in 'weft status'.

      EXAMPLES
        weft trace
        weft trace -n 100 --port eth0 --seconds 60
        weft trace --port c1 --mac 02:00:00:00:00:0a
        weft trace --json | jq '.frames[] | select(.end == "dropped") | .drop_reason'

      EXIT CODES
        0     printed, also if no frame came
        1     weftd refused, as when another trace is under way, or failed
        64    the command line is wrong
        69    weftd does not answer
        77    no permission to open weftd's socket
      """)

  @Option(
    name: [.customShort("n"), .customLong("count")],
    help: ArgumentHelp("Frames to follow, 1 to 1000.", valueName: "count"))
  var count = 10

  @Option(
    help: ArgumentHelp(
      "Only frames that come in at this port.",
      discussion: "An interface as in 'weft status', or a container as in 'weft ps'.",
      valueName: "name"))
  var port: String?

  @Option(
    help: ArgumentHelp(
      "Only frames from or to this station; of frames from other hosts, those inside.",
      valueName: "mac"), transform: Reading.mac)
  var mac: MACAddress?

  @Option(help: ArgumentHelp("How long to wait for them, 1 to 60.", valueName: "n"))
  var seconds = TraceRequest.secondsUsual

  @OptionGroup var connection: ConnectionOptions

  private var request: TraceRequest {
    TraceRequest(count: count, port: port, mac: mac, seconds: seconds)
  }

  func validate() throws {
    try Reading.check(request.validated)
  }

  func run() async throws {
    let request = request
    try await connection.show(
      { client throws(ControlClientError) in try await client.trace(request) },
      as: { TextReport.text($0) })
  }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `pktbench replay`: capture files through the switch, without a kernel and without privileges.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Run captured frames through the switch and write what it sends.",
    discussion: """
      One worker forwards the frames of all files in the order of their times, each before the \
      next is received, and learns as weftd does. The same files and options give the same result. \
      Each port has a file of what comes from it, IN, and one for what is sent through it, OUT; \
      either may be left out, the comma before OUT stays. Files are classic pcap with Ethernet.

      EXAMPLES
        pktbench replay --station a.pcap,a-out.pcap --station ,b-out.pcap
        pktbench replay --underlay wire.pcap --station ,inside.pcap --vtep 192.0.2.2:42
        pktbench replay --station a.pcap --station ,b.pcap --fault loss=1.5,reordering=10,seed=7

      EXIT CODES
        0     every frame is accounted for
        1     some are not, or a file cannot be read or written
        64    the command line is wrong
      """)

  @Option(help: ArgumentHelp("The underlay's files.", valueName: "IN[,OUT]"))
  var underlay: ReplayFiles?

  @Option(help: ArgumentHelp("A station's files; once for each port.", valueName: "IN[,OUT]"))
  var station: [ReplayFiles] = []

  @Option(help: ArgumentHelp("A remote VXLAN endpoint.", valueName: "ADDRESS:VNI"))
  var vtep: [ReplayEndpoint] = []

  @Option(
    help: ArgumentHelp(
      "Our address in the underlay, the source of what is encapsulated (default: 192.0.2.1).",
      valueName: "ADDRESS"))
  var address: ReplayAddress?

  @Option(
    help: ArgumentHelp(
      """
      Make every port bad: seed=N and any of loss, duplication, reordering, corruption and \
      truncation in percent.
      """, valueName: "KIND=PERCENT,..."))
  var fault: ReplayFaults?

  func validate() throws {
    guard underlay != nil || !station.isEmpty else {
      throw ValidationError("There is no port; give --underlay or --station.")
    }
    guard vtep.isEmpty || underlay != nil else {
      throw ValidationError("--vtep needs --underlay, which leads to it.")
    }
    guard station.count <= ReplaySwitch.stationPortCountMax else {
      throw ValidationError("At most \(ReplaySwitch.stationPortCountMax) stations.")
    }
    let files = station + (underlay.map { [$0] } ?? [])
    var known = Set(files.compactMap(\.input).map(FilePlace.init))
    for output in files.compactMap(\.output) where !known.insert(FilePlace(output)).inserted {
      throw ValidationError("\(output) is to be written, and is there twice; give another OUT.")
    }
  }

  func run() throws {
    var options = ReplaySwitch.Options(
      underlay: underlay, stations: station, endpoints: vtep.map(\.endpoint),
      faults: fault?.settings)
    if let address { options.address = address.address }
    let result = try ReplaySwitch(options).run()
    print(result.text, terminator: "")
    if !result.isBalanced { throw ExitCode.failure }
  }
}

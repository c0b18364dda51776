// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// SIGHUP while frames pass.
  @Suite struct ReloadTests {
    @Test(.timeLimit(.minutes(5))) func endpointsComeAndGoAndTheOthersLoseNoEcho() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let third = try ThirdHost(behind: bed.b, for: bed.a)
        try one.ping(other)

        try underEchoes(one, other) {
          try bed.a.writeConfig(bed.a.config() + third.endpoint)
          try reload(bed.a, "reloaded changed=vtep")
        }
        try bed.a.waitUntilResolved()
        #expect(
          try bed.a.status().endpoints.map(\.address) == [TestHost.Place.b.address, third.address])
        try one.ping(third.container)
        try third.container.ping(one)
        #expect(try bed.a.ask(["status", "macs"]).output.contains("vtep \(third.address) vni 42"))

        try underEchoes(one, other) {
          try bed.a.writeConfig()
          try reload(bed.a, "reloaded changed=vtep")
        }
        #expect(try bed.a.status().endpoints.map(\.address) == [TestHost.Place.b.address])
        #expect(try !bed.a.ask(["status", "macs"]).output.contains(third.address))

        // The index of the endpoint that left is free for the one that comes.
        try underEchoes(one, other) {
          try bed.a.writeConfig(bed.a.config() + third.endpoint)
          try reload(bed.a, "reloaded changed=vtep")
        }
        try bed.a.waitUntilResolved()
        try one.ping(third.container)
      }
    }

    @Test(.timeLimit(.minutes(5))) func neighbourOfAnEndpointThatWentIsForgotten() throws {
      try Testbed.run(containers: 1) { bed in
        let silent = "192.0.2.77"
        try bed.a.writeConfig(
          bed.a.config() + "[[vtep]]\naddress = \"\(silent)\"\nvni = 42\n")
        try reload(bed.a, "reloaded changed=vtep")
        #expect(try bed.a.namespace.ip("neigh show").contains(silent))
        try bed.a.writeConfig()
        try reload(bed.a, "reloaded changed=vtep")
        let neighbours = try bed.a.namespace.ip("neigh show")
        #expect(!neighbours.contains(silent), "\(neighbours)")
        #expect(neighbours.contains(bed.a.place.peer), "\(neighbours)")
        try bed.containersOfA[0].ping(bed.containersOfB[0])
      }
    }

    @Test(.timeLimit(.minutes(5))) func overlayMTUHoldsOnceTheUnderlayIsInUseAgain() throws {
      try Testbed.run(containers: 0) { bed in
        let host = bed.a.namespace
        try host.ip("link del eth0")
        try host.ip("link add eth0 type veth peer name eth0 netns \(bed.b.namespace.name)")
        try host.ip("address add \(bed.a.place.address)/24 dev eth0")
        try eventually("the port is closed", within: .seconds(10)) {
          try bed.a.status().losses.underlay == 1
        }
        try bed.a.writeConfig(bed.a.config() + "[overlay]\nmtu = 1300\n")
        try reload(bed.a, "reloaded changed=overlay.mtu")
        #expect(try bed.a.status().overlay_mtu == 1450)
        try host.ip("link set eth0 up")
        try eventually("the new MTU holds", within: .seconds(10)) {
          try bed.a.status().overlay_mtu == 1300
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func portThatIsServedIsRefusedToOthers() throws {
      try Testbed.run(containers: 1) { bed in
        try bed.a.namespace.ip(
          "link add vxlan0 type vxlan id 43 dstport 4789 remote \(bed.a.place.peer) dev eth0")
        #expect(throws: (any Error).self) { try bed.a.namespace.ip("link set vxlan0 up") }
        try bed.a.writeConfig(bed.a.config(top: "log_level = \"debug\""))
        try reload(bed.a, "reloaded changed=log_level")
        try bed.a.writeConfig(
          bed.a.config().replacing("[underlay]", with: "[underlay]\nvxlan_port = 4790"))
        try reload(bed.a, "keys=underlay.vxlan_port")
        try bed.containersOfA[0].ping(bed.containersOfB[0])
      }
    }

    @Test(.timeLimit(.minutes(5))) func endpointWithAnotherPortIsReachedThere() throws {
      try Testbed.runWithKernel { host, kernel, pair in
        try pair.0.ping(pair.1)
        let text = host.config().replacing("vni = 42", with: "vni = 42\nport = 4790")
        try host.writeConfig(text)
        try reload(host, "reloaded changed=vtep")
        let capture = try Capture("eth0", in: kernel.namespace)
        #expect(throws: (any Error).self) { try pair.0.ping(pair.1, count: 1) }
        capture.stop()
        #expect(try !capture.frames("udp.dstport == 4790").isEmpty)
        #expect(try capture.frames("udp.dstport == 4789 && ip.src == 192.0.2.1").isEmpty)
        try host.writeConfig()
        try reload(host, "reloaded changed=vtep")
        try pair.0.ping(pair.1)
      }
    }

    @Test(.timeLimit(.minutes(5))) func fileWithMistakesIsToldInFullAndChangesNothing() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        try underEchoes(one, other) {
          let text = "log_level = \"loud\"\n[overlay]\nmtu = 1\n[underlay]\ninterface = \"eth0\"\n"
          try bed.a.writeConfig(text)
          try reload(bed.a, "not reloaded")
        }
        let log = try #require(bed.a.weftd).errors
        #expect(log.contains("weftd.toml:1: log_level: "), "\(log)")
        #expect(log.contains("weftd.toml:3: overlay.mtu: 1 is too small"), "\(log)")
        #expect(try bed.a.status().endpoints.map(\.state) == ["resolved"])

        try FileManager.default.removeItem(atPath: bed.a.configFile)
        try reload(bed.a, "not reloaded")
        try bed.a.writeConfig()
        try reload(bed.a, "reloaded changed=nothing")
        try one.ping(other)
      }
    }

    @Test(.timeLimit(.minutes(5))) func keysThatNeedARestartAreNamedAndTheOthersTaken() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        let interface = try #require(one.interface)
        try underEchoes(one, other) {
          let text = bed.a.config(top: "log_level = \"debug\"")
            .replacing("[workers]", with: "[overlay]\nmtu = 1400\n[workers]\nframes = 4096")
          try bed.a.writeConfig(text + "[attachments]\non_stop = \"keep\"\n")
          try reload(bed.a, "reloaded changed=log_level,overlay.mtu,attachments.on_stop")
        }
        let process = try #require(bed.a.weftd)
        try process.expect("changed keys need a restart of weftd keys=workers.frames")
        #expect(try bed.a.status().overlay_mtu == 1400)
        let late = try TestContainer(50)
        try bed.a.attach(late)
        #expect(try late.mtu() == 1400)
        #expect(try one.mtu() == 1450, "who is attached already keeps what it has")
        try late.ping(other)

        bed.a.stop()
        #expect(try one.namespace.interfaces() == [interface], "on_stop is keep by now")
      }
    }

    @Test(.timeLimit(.minutes(5))) func passwordsAreReadAgainAndNothingTellsThem() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        let file = try bed.a.writePassword("correct horse")
        let mesh = bed.a.config() + "[mesh]\n"
        let encrypted = mesh + "password_file = \"\(file)\"\nrekey_seconds = 60\n"
        try bed.a.writeConfig(encrypted)
        try bed.a.start()
        try reload(bed.a, "reloaded changed=nothing")
        _ = try bed.a.writePassword("battery staple")
        try reload(bed.a, "reloaded changed=mesh.password_file")
        try bed.a.writeConfig(encrypted.replacing("= 60", with: "= 61"))
        try reload(bed.a, "reloaded changed=mesh.rekey_seconds")
        try bed.a.writeConfig(encrypted + "accepted_password_files = [\"\(file)\"]\n")
        try reload(bed.a, "not reloaded")
        try bed.a.writeConfig(mesh)
        try reload(bed.a, "keys=mesh.password_file")

        let process = try #require(bed.a.weftd)
        let request = #"GET /metrics HTTP/1.1\r\nHost: weft\r\nConnection: close\r\n\r\n"#
        let metrics = try attempt([
          "sh", "-c", "printf '\(request)' | socat -t 10 - UNIX-CONNECT:\(bed.a.socket)",
        ])
        #expect(metrics.output.contains("\nweft_peers 1\n"), "\(metrics)")
        let environment = try String(
          contentsOfFile: "/proc/\(process.id)/environ", encoding: .utf8)
        let command = try String(contentsOfFile: "/proc/\(process.id)/cmdline", encoding: .utf8)
        let report = try bed.a.ask(["report"]).output
        let told = [
          process.errors, process.output, metrics.output, environment, command, report,
          try bed.a.statusText(),
        ]
        for text in told { #expect(!text.contains("horse") && !text.contains("staple")) }
      }
    }

    @Test(.timeLimit(.minutes(5))) func hangupBeforeItIsReadyReloadsAsSoonAsItIs() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        let process = try RunningProcess(try bed.a.weftdCommand("--config", bed.a.configFile))
        try eventually("weftd holds hangups back", within: .seconds(10)) {
          try holdsHangups(process.id)
        }
        process.send(SIGHUP)
        try process.expect("ready")
        try process.expect("reloaded changed=nothing")
        #expect(try bed.a.status().endpoints.count == 1)
        #expect(process.stop() == 0, "\(process.errors)")
      }
    }

    /// Whether SIGHUP is among the signals that the process's first thread blocks.
    private func holdsHangups(_ process: pid_t) throws -> Bool {
      let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
      let line = text.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
      let mask = line.flatMap { UInt64($0.dropFirst(7).filter(\.isHexDigit), radix: 16) } ?? 0
      return mask & 1 << UInt64(SIGHUP - 1) != 0
    }

    /// Sends SIGHUP and waits until the log has one more line with the text.
    private func reload(_ host: TestHost, _ text: String) throws {
      let process = try #require(host.weftd)
      let before = process.errors.ranges(of: text).count
      process.send(SIGHUP)
      try eventually("weftd says '\(text)' once more", within: .seconds(10)) {
        guard process.isRunning else { throw TestbedError("weftd ended: \(process.errors)") }
        return process.errors.ranges(of: text).count > before
      }
    }

    /// Does something while one container pings the other; every answer must come.
    private func underEchoes(
      _ one: TestContainer, _ other: TestContainer, _ body: () throws -> Void
    ) throws {
      let ping = try one.namespace.start(
        words("ping -n -i 0.01 -c 150 -W 10 \(other.address)"))
      try ping.expect("icmp_seq=3 ")
      try body()
      #expect(ping.wait(.seconds(20)) == 0)
      #expect(ping.output.contains("150 packets transmitted, 150 received, 0% packet loss"))
      #expect(!ping.output.contains("duplicates"))
    }
  }
}

/// The kernel's VXLAN on a host of its own, one router away.
private final class ThirdHost {
  let kernel: KernelHost
  let container: TestContainer
  let address: String

  /// Puts the host behind `router`, and tells `neighbour` the way.
  init(behind router: TestHost, for neighbour: TestHost) throws {
    let place = TestHost.Place(
      name: "third", address: "198.51.100.2", peer: neighbour.place.address, core: 0)
    address = place.address
    kernel = try KernelHost(place)
    container = try TestContainer(200)
    let namespace = kernel.namespace
    try router.namespace.ip(
      "link add wire1 mtu 1500 type veth peer name eth0 mtu 1500 netns \(namespace.name)")
    try router.namespace.ip("address add 198.51.100.1/24 dev wire1")
    try namespace.ip("address add \(address)/24 dev eth0")
    try router.namespace.ip("link set wire1 up")
    try namespace.ip("link set eth0 up")
    try router.namespace.finishFrames(of: "wire1")
    try namespace.finishFrames(of: "eth0")
    try namespace.ip("route add default via 198.51.100.1")
    try router.namespace.run("sysctl -q -w net.ipv4.ip_forward=1")
    try neighbour.namespace.ip("route add 198.51.100.0/24 via \(router.place.address)")
    try kernel.start()
    try kernel.attach(container)
  }

  /// Its section in a config file.
  var endpoint: String { "[[vtep]]\naddress = \"\(address)\"\nvni = 42\n" }
}

extension TestContainer {
  /// The MTU of its interface.
  fileprivate func mtu() throws -> Int? {
    try namespace.links().first { $0["ifname"] as? String == interface }?["mtu"] as? Int
  }
}

// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import Testing

@testable import Node

@Suite struct ReloaderTests {
  /// What a reloader reads, writes and hands on.
  private final class World: Sendable {
    let file: Mutex<Result<Configuration, DaemonError>>
    let lines = Mutex<[String]>([])
    let applied = Mutex<[Configuration]>([])
    /// The UDP ports of what ran when the file was read.
    let served = Mutex<[Set<UInt16>]>([])
    let threshold = LogThreshold(.info)

    init(_ configuration: Configuration) { file = Mutex(.success(configuration)) }

    func write(_ text: String) {
      let result = Result { () throws(DaemonError) in
        do throws(ConfigurationErrors) {
          return try Configuration.parse(text: text, file: "x.toml")
        } catch {
          throw DaemonError(.configuration, "\(error)")
        }
      }
      file.withLock { $0 = result }
    }

    func reloader(_ configuration: Configuration) -> Reloader {
      let logger = Logger(label: "test") { _ in
        LineLogHandler(threshold: self.threshold) { line in
          // Without the time.
          let text = line.split(separator: " ", maxSplits: 1).last.map(String.init) ?? line
          self.lines.withLock { $0.append(text.filter { $0 != "\n" }) }
        }
      }
      return Reloader(
        configuration: configuration, logger: logger, threshold: threshold,
        read: { (running) throws(DaemonError) in
          self.served.withLock { $0.append(running.udpPorts) }
          return try self.file.withLock { $0 }.get()
        },
        apply: { configuration in self.applied.withLock { $0.append(configuration) } })
    }

    var log: [String] { lines.withLock { $0 } }
  }

  private let text = "[underlay]\ninterface = \"eth0\"\n"

  @Test func mistakesAreLoggedOneByOneAndNothingIsApplied() async throws {
    var running = try Configuration.parse(text: text, file: "x.toml")
    let before = running
    let world = World(running)
    world.write(text + "[overlay]\nmtu = 1\n[workers]\nframes = 1000\n[[vtep]]\n")
    await world.reloader(running).reload(&running)
    #expect(running == before)
    #expect(world.applied.withLock { $0.isEmpty })
    let log = world.log
    #expect(log.count == 5, "\(log)")
    #expect(log.first?.hasPrefix("error configuration problem=\"x.toml:4: overlay.mtu:") == true)
    #expect(log.last == "error not reloaded, everything stays as it was problems=4")
  }

  @Test func reloadableKeysAreAppliedAndTheOthersNamedEachTime() async throws {
    var running = try Configuration.parse(text: text, file: "x.toml")
    let world = World(running)
    world.write(
      text + "vxlan_port = 4790\n[workers]\nframes = 4096\n[overlay]\nmtu = 1400\n")
    let reloader = world.reloader(running)
    await reloader.reload(&running)
    #expect(running.overlay.mtu == 1400 && running.workers.frames == 16384)
    #expect(world.applied.withLock { $0 } == [running])
    let waiting =
      "warning changed keys need a restart of weftd keys=underlay.vxlan_port,workers.frames"
    #expect(world.log == ["notice reloaded changed=overlay.mtu", waiting])
    await reloader.reload(&running)
    #expect(world.log.suffix(2) == ["notice reloaded changed=nothing", waiting])
    world.write(text + "[overlay]\nmtu = 1400\n")
    await reloader.reload(&running)
    #expect(world.log.last == "notice reloaded changed=nothing")
  }

  @Test func portOfTheFirstEndpointIsOurOwnFromThenOn() async throws {
    var running = try Configuration.parse(text: text, file: "x.toml")
    let world = World(running)
    let reloader = world.reloader(running)
    world.write(text + "[[vtep]]\naddress = \"192.0.2.2\"\nvni = 1\n")
    await reloader.reload(&running)
    world.write(text)
    await reloader.reload(&running)
    await reloader.reload(&running)
    #expect(world.served.withLock { $0 } == [[], [4789], []])
  }

  @Test func levelOfTheLogChangesAndTheChangeItselfIsSeen() async throws {
    var running = try Configuration.parse(text: text, file: "x.toml")
    let world = World(running)
    let reloader = world.reloader(running)
    world.write("log_level = \"critical\"\n" + text)
    await reloader.reload(&running)
    #expect(world.log == ["notice reloaded changed=log_level"])
    #expect(world.threshold.level == .critical)
    world.write("log_level = \"trace\"\n" + text)
    await reloader.reload(&running)
    #expect(world.log.count == 2)
    #expect(world.threshold.level == .trace)
  }

  @Test func aLoggerThatWasMadeQuieterStaysSo() {
    let threshold = LogThreshold(.info)
    var handler = LineLogHandler(threshold: threshold) { _ in }
    handler.logLevel = .error
    let other = LineLogHandler(threshold: threshold) { _ in }
    #expect(handler.logLevel == .error && other.logLevel == .info)
    threshold.level = .debug
    #expect(handler.logLevel == .error && other.logLevel == .debug)
    threshold.level = .critical
    #expect(handler.logLevel == .critical && other.logLevel == .critical)
  }
}

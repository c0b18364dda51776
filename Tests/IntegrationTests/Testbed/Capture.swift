// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Frames recorded on an interface, judged by tshark with all checksums verified.
final class Capture {
  /// Frames that are recorded at most, so that judging them stays quick.
  static let frameCountMax = 20_000

  private let file: URL
  private let recorder: RunningProcess

  /// Begins to record.
  init(_ interface: String, in namespace: TestNamespace) throws {
    file = try Leftovers.scratch().appendingPathComponent("\(namespace.name).pcap")
    let options = "-n -U --immediate-mode -B 32768 -s 0 -c \(Self.frameCountMax)"
    recorder = try namespace.start(
      words("tcpdump -Z root \(options) -i \(interface) -w") + [file.path])
    try recorder.expect("listening on")
  }

  deinit { try? FileManager.default.removeItem(at: file) }

  /// Ends the recording, once nothing more has come for half a second.
  func stop() {
    var length = -1
    for _ in 0..<60 where length != lengthNow {
      length = lengthNow
      Thread.sleep(forTimeInterval: 0.5)
    }
    recorder.stop(with: SIGINT)
  }

  private var lengthNow: Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
    return attributes?[.size] as? Int ?? 0
  }

  /// Ends the recording; everything in it as text of single bytes.
  func bytes() throws -> String {
    stop()
    return String(decoding: try Data(contentsOf: file), as: Unicode.ASCII.self)
  }

  /// One line of fields for each frame that passes the filter; only the outermost of each field.
  func frames(_ filter: String, fields: [String] = ["frame.number"]) throws -> [String] {
    let options = ["ip", "udp", "tcp"].flatMap { ["-o", "\($0).check_checksum:TRUE"] }
    let shown = ["-T", "fields", "-E", "occurrence=f"] + fields.flatMap { ["-e", $0] }
    let output = try run(
      ["tshark", "-n", "-r", file.path, "-d", "udp.port==4789,vxlan"] + options
        + ["-Y", filter] + shown,
      limit: .seconds(40))
    return output.split(separator: "\n").map(String.init)
  }
}

// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Foundation
import TestSupport

@testable import Dataplane

/// A folder for one test's files, removed with this value.
final class PcapFolder {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "weft-pcap-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  /// A file with these bytes.
  func file(_ bytes: [UInt8], _ name: String = "in.pcap") throws -> String {
    try Data(bytes).write(to: URL(filePath: path(name)))
    return path(name)
  }

  func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path(name))))
  }
}

/// A capture file put together by hand: most significant byte first, microseconds.
func captureFile(
  magic: [UInt8] = [0xA1, 0xB2, 0xC3, 0xD4], version: [UInt8] = [0, 2, 0, 4],
  linkType: [UInt8] = [0, 0, 0, 1], _ frames: [[UInt8]]
) -> [UInt8] {
  let header = magic + version + [UInt8](repeating: 0, count: 8) + [0, 4, 0, 0] + linkType
  var file = header
  for (index, frame) in frames.enumerated() {
    let length = octets(UInt32(frame.count))
    file += octets(UInt32(1000 + index)) + octets(UInt32(250_000)) + length + length + frame
  }
  return file
}

/// A file whose only record says that it has so many bytes.
func recordClaiming(_ length: UInt32) -> [UInt8] {
  captureFile([]) + octets(0, 8) + octets(length) + octets(length)
}

/// Every record of a file.
func records(of path: String) throws(PcapError) -> [PcapRecord] {
  var reader = try PcapReader(path: path)
  var records: [PcapRecord] = []
  while let record = try reader.next() { records.append(record) }
  return records
}

/// Writes a whole file.
func write(
  _ records: [PcapRecord], to path: String, _ format: PcapFormat = PcapFormat()
) throws(PcapError) {
  var writer = try PcapWriter(path: path, format: format)
  for record in records { try writer.append(record) }
  try writer.flush()
}

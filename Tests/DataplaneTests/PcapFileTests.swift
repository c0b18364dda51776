// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Foundation
import TestSupport
import Testing

@testable import Dataplane

/// Capture files as others write them, as we do, and as nobody should.
struct PcapFileTests {
  private let folder: PcapFolder
  private let frames = [
    frame(from: 1, to: 2), frame(from: 2, to: 1, payloadLength: 1400), [], frame(from: 3, to: 4),
  ]

  init() throws { folder = try PcapFolder() }

  static let formats = PcapFormat.ByteOrder.allCases.flatMap { order in
    PcapFormat.Resolution.allCases.map { PcapFormat(order: order, resolution: $0) }
  }

  static var hasTshark: Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/tshark")
  }

  @Test func fileByHandIsRead() throws {
    let found = try records(of: folder.file(captureFile(frames)))
    #expect(found.map(\.bytes) == frames)
    let seconds = found.map { $0.nanoseconds / 1_000_000_000 }
    #expect(seconds == [1000, 1001, 1002, 1003])
    #expect(found.allSatisfy { $0.nanoseconds % 1_000_000_000 == 250_000_000 })
    #expect(found.allSatisfy { !$0.isCut })
  }

  @Test func fileWithTheLeastSignificantByteFirstIsWrittenLikeThis() throws {
    let record = PcapRecord(nanoseconds: 0x0102_0304 * 1_000_000_000 + 5, bytes: [6, 7, 8])
    try write([record], to: folder.path("out.pcap"))
    let header = hexadecimal("4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000")
    let body = hexadecimal("04030201 05000000 03000000 03000000 060708")
    #expect(try folder.bytes(of: "out.pcap") == header + body)
  }

  @Test(arguments: formats)
  func everyFormatIsReadAsItWasWritten(_ format: PcapFormat) throws {
    let step = format.resolution.nanoseconds
    let written = frames.enumerated().map { index, bytes in
      PcapRecord(
        nanoseconds: 1_700_000_000_999_999_000 + UInt64(index) * step, bytes: bytes,
        originalLength: UInt32(bytes.count + index))
    }
    try write(written, to: folder.path("out.pcap"), format)
    #expect(try records(of: folder.path("out.pcap")) == written)
    let reader = try PcapReader(path: folder.path("out.pcap"))
    #expect(reader.format == format)
  }

  @Test func fileLongerThanABufferIsReadWhole() throws {
    var random = SeededGenerator(seed: 1)
    let written = (0..<3000).map { index in
      PcapRecord(nanoseconds: UInt64(index), bytes: random.bytes(random.number(below: 300)))
    }
    let largest = PcapRecord(nanoseconds: 0, bytes: random.bytes(262_144))
    try write(written + [largest] + written, to: folder.path("out.pcap"))
    #expect(try records(of: folder.path("out.pcap")) == written + [largest] + written)
  }

  @Test(.enabled(if: hasTshark, "install tshark"), arguments: formats)
  func tsharkReadsWhatWeWrote(_ format: PcapFormat) throws {
    let written = frames.filter { !$0.isEmpty }.enumerated().map { index, bytes in
      PcapRecord(nanoseconds: 1_700_000_000_123_456_000 + UInt64(index), bytes: bytes)
    }
    try write(written, to: folder.path("out.pcap"), format)
    let lines = try tshark(folder.path("out.pcap"))
    let second = format.resolution == .nano ? "123456001" : "123456000"
    try #require(lines.count == 3, "\(lines)")
    #expect(lines[0].hasPrefix("\(written[0].bytes.count)\t1700000000.123456000\t"))
    #expect(lines[1].hasPrefix("\(written[1].bytes.count)\t1700000000.\(second)\t"))
    #expect(lines.allSatisfy { $0.hasSuffix("\t1000\t2000\t1") }, "\(lines)")
  }

  // MARK: Hostile files

  @Test func fileThatEndsAnywhereGivesItsWholeRecordsAndSaysWhereItEnds() throws {
    let file = captureFile([frames[0], frames[3]])
    let ends = [24, 40 + frames[0].count, file.count]
    for length in 0..<file.count {
      let path = try folder.file(Array(file.prefix(length)))
      var whole = 0
      do throws(PcapError) {
        var reader = try PcapReader(path: path)
        while try reader.next() != nil { whole += 1 }
        #expect(ends.contains(length), "\(length) bytes are no whole file")
      } catch {
        #expect(!ends.contains(length))
        guard case .truncated(let missing) = error.problem else {
          Issue.record("\(length) bytes: \(error)")
          continue
        }
        #expect(missing > 0 && error.offset <= UInt64(length) && error.path == path)
      }
      #expect(whole == ends.dropFirst().count { $0 <= length }, "\(length)")
    }
  }

  @Test(arguments: [
    (
      captureFile(magic: [0x0A, 0x0D, 0x0D, 0x0A], []), 0 as UInt64, PcapError.Problem.pcapng,
      "editcap"
    ),
    (captureFile(magic: [1, 2, 3, 4], []), 0, .notPcap(magic: 0x0102_0304), "0x1020304"),
    (captureFile(version: [0, 3, 0, 4], []), 4, .version(3), "accepted: 2"),
    (captureFile(linkType: [0, 0, 0, 101], []), 20, .linkType(101), "accepted: 1"),
    (captureFile(linkType: [0x24, 0, 0, 1], []), 20, .linkType(0x2400_0001), "check sequence"),
    (recordClaiming(.max), 32, .recordTooLong(.max), "at most 262144"),
    (recordClaiming(262_145), 32, .recordTooLong(262_145), "at most 262144"),
  ])
  func whatIsNoCaptureOfEthernetIsRefusedWithItsPlace(
    _ file: [UInt8], _ offset: UInt64, _ problem: PcapError.Problem, _ advice: String
  ) throws {
    let path = try folder.file(file)
    let error = #expect(throws: PcapError.self) { _ = try records(of: path) }
    #expect(error?.offset == offset && error?.problem == problem)
    let text = error?.description ?? ""
    #expect(text.hasPrefix("\(path): at byte \(offset): ") && text.contains(advice), "\(text)")
  }

  @Test func filesThatCannotBeOpenedAreRefusedWithTheSystemsReason() throws {
    let absent = #expect(throws: PcapError.self) {
      _ = try PcapReader(path: folder.path("absent.pcap"))
    }
    #expect(absent?.description.contains("opening it failed: No such file") == true)
    let nowhere = #expect(throws: PcapError.self) {
      _ = try PcapWriter(path: folder.path("absent/out.pcap"))
    }
    #expect(nowhere?.description.contains("creating it failed: No such file") == true)
    let folderItself = #expect(throws: PcapError.self) {
      _ = try PcapReader(path: folder.path(""))
    }
    #expect(folderItself?.description.contains("reading it failed: Is a directory") == true)
  }

  @Test(arguments: fixedSeeds)
  func mutatedAndRandomFilesAreReadOrRefused(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var refused = 0
    var read = 0
    for round in 0..<300 {
      var file = captureFile(frames)
      for _ in 0...random.number(below: 4) {
        file[random.number(below: file.count)] = UInt8(random.number(below: 256))
      }
      if round % 10 == 0 { file = random.bytes(random.number(below: 200)) }
      if round % 10 == 1 { file = captureFile([]) + random.bytes(random.number(below: 200)) }
      let path = try folder.file(file)
      do {
        let found = try records(of: path)
        read += 1
        #expect(found.reduce(24) { $0 + 16 + $1.bytes.count } == file.count, "\(random)")
      } catch {
        #expect(error.offset <= UInt64(file.count), "\(random): \(error)")
        refused += 1
      }
    }
    #expect(refused > 50 && read > 50, "\(random): the files were all alike")
  }

  /// A line for each frame: its length, its time, its UDP ports and whether its checksum is right.
  private func tshark(_ path: String) throws -> [Substring] {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/tshark")
    process.arguments = ["-r", path, "-T", "fields", "-o", "udp.check_checksum:TRUE"]
    for field in ["frame.len", "frame.time_epoch", "udp.srcport", "udp.dstport"] {
      process.arguments?.append(contentsOf: ["-e", field])
    }
    process.arguments?.append(contentsOf: ["-e", "udp.checksum.status"])
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).split(separator: "\n")
  }
}
